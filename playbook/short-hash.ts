/**
 * A short, stable, non-secret hash of a text, for remembering ids in little space. Pure, so workflows can use it.
 * @module
 */

/** 64-bit FNV-1a in two 32-bit halves, as 13 base-36 characters at most. */
export function shortHash(text: string): string {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    low ^= code & 0xff;
    high ^= code >>> 8;
    // Multiply by the 64-bit FNV prime 0x100000001b3.
    const lowTimes = low * 0x1b3;
    const carry = Math.floor(lowTimes / 0x1_0000_0000);
    high = (Math.imul(high, 0x1b3) + carry + (low << 8)) >>> 0;
    low = lowTimes >>> 0;
  }
  return ((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString(36);
}
