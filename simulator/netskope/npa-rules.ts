/**
 * Private access policy rules. A rule that does not exist is told with HTTP 200 and an error inside.
 * @module
 */
import { z } from 'zod';
import type { World } from '../world';
import { type Answer, jsonOf, type VendorRequest } from '../vendor';

const ruleSchema = z.looseObject({ rule_name: z.string().min(1), enabled: z.enum(['0', '1']).default('1') });

interface Rule {
  rule_id: string;
  rule_name: string;
  [key: string]: unknown;
}

const refused = (message: string): Answer => ({ status: 200, body: { status: 'error', message } });
const done = (data: unknown, changed: string | null = null): Answer => ({
  status: 200,
  body: { status: 'success', data },
  changed,
});

/** The tenant's private access rules. */
export class NpaRules {
  readonly #rules: Rule[] = [];
  #count = 0;

  constructor(readonly world: World) {}

  /** Answers under `/api/v2/policy/npa/rules`. */
  answer(request: VendorRequest): Answer | undefined {
    const id = /^\/api\/v2\/policy\/npa\/rules(?:\/([^/]+))?$/.exec(request.path)?.[1];
    if (!id) {
      if (request.method === 'GET') return done(this.#rules);
      return request.method === 'POST' ? this.#create(request.body) : undefined;
    }
    const rule = this.#rules.find((one) => one.rule_id === id);
    if (!rule) return refused(`policy doesn't exist for id ${id}`);
    if (request.method === 'GET') return done(rule);
    if (request.method === 'PATCH') return this.#change(rule, request.body);
    if (request.method !== 'DELETE') return undefined;
    this.#rules.splice(this.#rules.indexOf(rule), 1);
    return done({}, this.#effect(rule, 'deleted'));
  }

  #create(body: string): Answer {
    const asked = ruleSchema.safeParse(jsonOf(body));
    if (!asked.success) return refused(z.prettifyError(asked.error));
    if (this.#rules.some((rule) => rule.rule_name === asked.data.rule_name)) return refused('rule name already exists');
    this.#count += 1;
    const rule: Rule = { ...asked.data, rule_id: String(100 + this.#count) };
    const order = (asked.data['rule_order'] as { order?: string } | undefined)?.order;
    if (order === 'top') this.#rules.unshift(rule);
    else this.#rules.push(rule);
    return done(rule, this.#effect(rule, 'created'));
  }

  #change(rule: Rule, body: string): Answer {
    const asked = ruleSchema.partial().safeParse(jsonOf(body));
    if (!asked.success) return refused(z.prettifyError(asked.error));
    Object.assign(rule, asked.data, { rule_id: rule.rule_id });
    return done(rule, this.#effect(rule, 'changed'));
  }

  #effect(rule: Rule, what: string): string {
    return this.world.effects.name(
      `netskope npa rule ${rule.rule_name}`,
      `netskope: NPA rule ${rule.rule_name} ${what}`,
    );
  }
}
