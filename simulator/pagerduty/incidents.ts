/**
 * State of PagerDuty: incidents by their key, and the webhook subscription.
 * @module
 */
import { createHmac } from 'node:crypto';
import type { World } from '../world';

type Status = 'triggered' | 'acknowledged' | 'resolved';

/** What a trigger carries. */
export interface Trigger {
  summary: string;
  severity: string;
  source: string;
  details: unknown;
}

export interface Incident extends Trigger {
  id: string;
  number: number;
  dedupKey: string;
  status: Status;
  /** How often it was triggered while open. */
  triggers: number;
  createdAt: string;
  log: { at: string; what: string; by: string | null }[];
}

interface Subscription {
  url: string;
  secret: string;
}

/** How long PagerDuty waits for an answer to a webhook (ms). */
const answerWithinMs = 5_000;

/** A reference to somebody or something, as PagerDuty's webhooks carry it. */
type Reference = { id: string; type: string; summary: string };

export class PagerDutyIncidents {
  readonly all: Incident[] = [];
  subscription: Subscription | undefined;
  /** Bodies by the id of their event: what is sent again is the same, to the byte. */
  readonly #bodies = new Map<string, string>();
  /** Webhooks leave one after the other. */
  #sending: Promise<unknown> = Promise.resolve();

  constructor(readonly world: World) {}

  /** The newest of this key: only it can be open. */
  newest(dedupKey: string): Incident | undefined {
    return this.all.findLast((incident) => incident.dedupKey === dedupKey);
  }

  byId(id: string): Incident | undefined {
    return this.all.find((incident) => incident.id === id);
  }

  /** Open an incident, or write into the log of the one that is open. */
  trigger(dedupKey: string, trigger: Trigger): string {
    const open = this.newest(dedupKey);
    if (open && open.status !== 'resolved') {
      open.triggers += 1;
      this.#note(open, 'triggered again', null);
      return this.#changed(dedupKey, 'triggered again');
    }
    const number = this.all.length + 1;
    const incident: Incident = {
      id: `Q${this.world.seed.hex(`pagerduty incident ${number}`, 13).toUpperCase()}`,
      number,
      dedupKey,
      status: 'triggered',
      triggers: 1,
      createdAt: new Date(this.world.clock.now()).toISOString(),
      log: [],
      ...trigger,
    };
    this.all.push(incident);
    this.#note(incident, 'triggered', null);
    void this.#tell(incident, 'triggered', this.#integration());
    return this.#changed(dedupKey, 'triggered');
  }

  /** By an event: what is not open is dropped. */
  move(dedupKey: string, status: 'acknowledged' | 'resolved'): string | null {
    const incident = this.newest(dedupKey);
    if (!incident || incident.status === 'resolved' || incident.status === status) return null;
    incident.status = status;
    this.#note(incident, status, null);
    void this.#tell(incident, status, this.#integration());
    return this.#changed(dedupKey, status);
  }

  /**
   * By a person. Repeated, it sends the same webhook again, as PagerDuty does when it got no 2xx.
   * @returns What the subscriber answered; null: there is none, or it did not answer.
   */
  async moveBy(incident: Incident, status: 'acknowledged' | 'resolved', by: string): Promise<number | null> {
    if (incident.status !== status && incident.status !== 'resolved') {
      incident.status = status;
      this.#note(incident, status, by);
    }
    const id = `P${this.world.seed.hex(`pagerduty user ${by}`, 6).toUpperCase()}`;
    return this.#tell(incident, status, { id, type: 'user_reference', summary: by });
  }

  #integration(): Reference {
    const id = `P${this.world.seed.hex('pagerduty integration', 6).toUpperCase()}`;
    return { id, type: 'inbound_integration_reference', summary: 'Events API V2' };
  }

  #note(incident: Incident, what: string, by: string | null): void {
    incident.log.push({ at: new Date(this.world.clock.now()).toISOString(), what, by });
  }

  /** Every one is new: a repeat calls nobody anew, so it is no double. */
  #changed(dedupKey: string, what: string): string {
    const subject = `pagerduty ${dedupKey}`;
    this.world.effects.rearm(subject);
    return this.world.effects.name(subject, `pagerduty: incident ${dedupKey} ${what}`);
  }

  #tell(incident: Incident, status: Status, agent: Reference): Promise<number | null> {
    const { subscription, world } = this;
    if (!subscription) return Promise.resolve(null);
    const { id, number, summary, createdAt } = incident;
    const event = {
      id: world.seed.uuid(`pagerduty event ${id} ${status} ${agent.id}`),
      event_type: `incident.${status}`,
      resource_type: 'incident',
      occurred_at: new Date(world.clock.now()).toISOString(),
      agent,
      client: null,
      data: {
        id,
        type: 'incident',
        number,
        status,
        // As at the vendor: an incident that came from an alert does not name its key. The alert does.
        incident_key: null,
        created_at: createdAt,
        title: summary,
        urgency: 'high',
        resolve_reason: null,
      },
    };
    const body = this.#bodies.get(event.id) ?? JSON.stringify({ event });
    this.#bodies.set(event.id, body);
    const sending = this.#sending.then(() => deliver(subscription, body));
    this.#sending = sending;
    return sending;
  }
}

async function deliver({ url, secret }: Subscription, body: string): Promise<number | null> {
  try {
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    const { status } = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-pagerduty-signature': `v1=${signature}` },
      body,
      signal: AbortSignal.timeout(answerWithinMs),
    });
    return status;
  } catch {
    return null;
  }
}
