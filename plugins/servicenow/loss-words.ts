/**
 * What a ticket says of the loss, from columns or from lines like `Serial number: SN0042` that people and forms write
 * into the description.
 * @module
 */
import type { Answers, YesNoUnknown } from '../../playbook/report';
import { onOneLine } from '../../playbook/plain-text';

/** The words of a ticket, not understood yet. */
export interface LossWords {
  serial?: string;
  hostname?: string;
  user?: string;
  reportedBy?: string;
  reporterIsOwner?: string;
  kind?: string;
  lastHeldAt?: string;
  lastHeldWhere?: string;
  powered?: string;
  locked?: string;
  data?: string;
  vip?: string;
}

/** How people name each, lower case. */
const keys: Record<keyof LossWords, string[]> = {
  serial: ['serial', 'serial number', 'serial no', 's/n', 'sn'],
  hostname: ['hostname', 'host', 'host name', 'computer', 'computer name', 'device', 'device name', 'laptop'],
  user: ['user', 'username', 'user name', 'upn', 'owner', 'device user'],
  reportedBy: ['reported by', 'reporter', 'caller'],
  reporterIsOwner: ['reporter is owner', 'is it your device', 'own device'],
  kind: ['kind', 'lost or stolen', 'what happened', 'type of loss'],
  lastHeldAt: ['last held', 'last held at', 'last seen', 'when', 'lost at', 'stolen at'],
  lastHeldWhere: ['where', 'last held where', 'place', 'location', 'last location'],
  powered: ['powered', 'power', 'power state'],
  locked: ['locked', 'screen locked'],
  data: ['data', 'what data', 'data on it', 'sensitive data'],
  vip: ['vip'],
};

const wordByKey = new Map(
  Object.entries(keys).flatMap(([word, names]) => names.map((name) => [name, word as keyof LossWords] as const)),
);

/** No longer description is read (characters). */
const longestDescription = 256 * 1024;

/** Lines `key: value` of a description. The first of a kind counts; other lines are nobody's business. */
export function readLines(description: string): LossWords {
  const words: LossWords = {};
  for (const line of description.slice(0, longestDescription).split(/\r?\n/)) {
    const cut = line.search(/[:=]/);
    const key = onOneLine(line.slice(0, Math.max(0, cut))).replace(/^[-*•\s]+|[\s?]+$/g, '');
    const word = wordByKey.get(key.toLowerCase());
    const text = onOneLine(line.slice(cut + 1));
    if (word !== undefined && text !== '') words[word] ??= text;
  }
  return words;
}

/** The answers in a ticket's words. What cannot be understood is unknown: a ticket is never refused for it. */
export function understand(words: LossWords): Answers {
  const heldAt = readTime(words.lastHeldAt);
  return {
    kind: readOneOf(words.kind, { stolen: /^(stolen|theft|robbed|burgl)/, lost: /^(lost|missing|mislaid|left)/ }),
    ...(words.reportedBy && { reportedBy: words.reportedBy.slice(0, 320) }),
    reporterIsOwner: readYesNo(words.reporterIsOwner),
    ...(heldAt && { lastHeldAt: heldAt }),
    ...(words.lastHeldWhere && { lastHeldWhere: words.lastHeldWhere }),
    powered: readOneOf(words.powered, {
      sleeping: /^(sleep|standby|suspend|hibernat)/,
      off: /^(off|no|false|powered off|shut)/,
      on: /^(on|yes|true|powered on|running)/,
    }),
    locked: readYesNo(words.locked),
    ...(words.data && { data: words.data }),
    vip: readYesNo(words.vip),
  };
}

function readYesNo(text: string | undefined): YesNoUnknown {
  return readOneOf(text, { yes: /^(yes|y|true|1)\b/, no: /^(no|n|false|0)\b/ });
}

function readOneOf<Answer extends string>(text: string | undefined, forms: Record<Answer, RegExp>): Answer | 'unknown' {
  const lower = (text ?? '').trim().toLowerCase();
  const found = (Object.keys(forms) as Answer[]).find((answer) => forms[answer].test(lower));
  return found ?? 'unknown';
}

/** ISO 8601 with its zone, a date, or ServiceNow's own form, which is UTC. Anything else is not a time that we know. */
function readTime(text: string | undefined): string | undefined {
  const form = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(text ?? '');
  if (!form) return undefined;
  const [, date, time, zone = 'Z'] = form;
  const at = new Date(time === undefined ? `${date}` : `${date}T${time}${zone}`);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
