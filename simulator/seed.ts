/**
 * Everything that looks random comes from here: derived from the seed and a name, so it never depends on the order of
 * calls and is the same in every run with the same seed.
 * @module
 */
import { createHash } from 'node:crypto';

/** A source of repeatable identifiers and numbers. */
export class Seed {
  constructor(readonly value: number) {}

  /** Lower-case hexadecimal text of the given length (at most 64). */
  hex(name: string, length: number): string {
    return createHash('sha256').update(`${this.value}:${name}`).digest('hex').slice(0, length);
  }

  uuid(name: string): string {
    const h = this.hex(name, 32);
    return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20)}`;
  }

  /** A whole number between the two, both included. */
  between(name: string, low: number, high: number): number {
    return low + (parseInt(this.hex(name, 8), 16) % (high - low + 1));
  }
}
