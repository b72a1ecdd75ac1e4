/**
 * Texts from outside as they are taken in and shown: bounded, on one line, and read in the order in which they are written.
 * Tickets, reporters and vendors' answers may hold anything, and a thief may have written it.
 * @module
 */

/** What forges a line, steers a terminal or turns the direction of reading: controls, line ends, bidi marks; and half characters. */
const steering = '\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069';
const steeringRuns = new RegExp(`[${steering}]+`, 'gu');
const anySteering = new RegExp(`[${steering}]`, 'u');

/** Longest name of a device or a person that is believed (characters): a mail address has at most 320. */
export const longestName = 320;
/** Longest vendor's text that is kept (characters): a dozen sightings, each with several of them, must fit into a case. */
const longestWords = 200;

/** Holds something that forges a line, steers a terminal or turns the direction of reading; or half a character. */
export const hasSteering = (text: string): boolean => anySteering.test(text);

/** The same text, with a space for each run of what {@link hasSteering} finds. */
export const withoutSteering = (text: string): string => text.replace(steeringRuns, ' ');

/**
 * A person's words without what could forge a line or turn its direction.
 * @param atMost characters; what is longer is cut, and ends in an ellipsis.
 */
export function onOneLine(text: string, atMost = 2_000): string {
  // Cut before it is cleaned: 250 kB of line ends are not worth looking through.
  const line = text
    .slice(0, 2 * atMost)
    .replace(steeringRuns, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  const shown = line.length > atMost ? `${line.slice(0, atMost - 1)}…` : line;
  // The cut may have left half a character.
  return shown.replace(/\p{Cs}/gu, '');
}

/** A text for Temporal's own pages, which show Markdown: no link, image or element of it comes from outside. */
export const asMarkdown = (text: string): string => text.replace(/[\\[<`]/g, '\\$&');

/** What a vendor says in words. Empty and missing are both undefined. */
export function vendorWords(text: string | null | undefined): string | undefined {
  return onOneLine(text ?? '', longestWords) || undefined;
}

/**
 * What a vendor calls a device, a person or a thing. A name is compared, so it is never changed: one that no vendor gives
 * out names nothing.
 */
export function vendorName(text: string | null | undefined): string | undefined {
  return !text || text.length > longestName || hasSteering(text) ? undefined : text;
}
