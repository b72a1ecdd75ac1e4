/**
 * Fields that several parts of the settings file share, with messages that name the remedy.
 * @module
 */
import { z } from 'zod';
import { filledText } from '../plugins/setting-fields';

const millisecondsPer: Record<string, number> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 };
/** A duration in words. */
export const durationText = /^(\d+(?:\.\d+)?) ?(ms|s|min|h|d)$/;

/** `90s`, `15min`, `2h`, `3d` in milliseconds; undefined for any other text. */
export function readDuration(text: string): number | undefined {
  const [, amount, unit] = durationText.exec(text) ?? [];
  return amount && unit ? Math.round(Number(amount) * (millisecondsPer[unit] ?? 0)) : undefined;
}

/** The same the other way round: in the largest unit that fits without a rest. */
function writeDuration(ms: number): string {
  const units = Object.entries(millisecondsPer).filter(([, per]) => ms >= per && ms % per === 0);
  const [unit, per] = units.at(-1) ?? ['ms', 1];
  return `${ms / per}${unit}`;
}

/** Settings that last, although their names do not end in `Ms`. */
const alsoLasting = [
  'ms',
  ...['every', 'indexEvery', 'within', 'sweepEvery', 'longestPause', 'blindAfter'],
  ...['checkEvery', 'sayAgainAfter', 'keepClosed'],
];
const lasts = (key: string) => key.endsWith('Ms') || alsoLasting.includes(key);

/** A part of the settings with its durations as people write them. */
export function inWords(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => inWords(item));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, inWords(part, name)]));
  }
  return typeof value === 'number' && lasts(key) ? writeDuration(value) : value;
}

/** A duration, in milliseconds once it is read. */
export const duration = z.union(
  [
    z.int().min(0),
    z
      .string()
      .regex(durationText)
      .transform((text) => readDuration(text) ?? 0),
  ],
  {
    error: 'is not a duration: write 90s, 15min, 2h, 3d or a number of milliseconds',
  },
);

/** A duration that is not nothing: of what comes again and again, or of what must not begin at once. */
export const lasting = duration.refine((ms) => ms > 0, { error: 'is no time at all: write more than 0' });

/** A name of a person's choice: of a tenant, a product, a person, a rung. */
export const name = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, {
  error: 'is no name: begin with a small letter, then small letters, digits and -, 40 at most',
});

/** Names that stand elsewhere in the file: whether they do is checked over the whole of it. */
export const names = z.array(filledText, { error: 'is no list: write it like [ana, soc]' });

/** One of a few words. */
export const oneOf = <const Word extends string>(words: readonly Word[]) =>
  z.enum(words, { error: `is not known: write one of ${words.join(', ')}` });
