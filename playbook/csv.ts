/**
 * Tables for spreadsheets (RFC 4180). Pure.
 * @module
 */

/** Rows as CSV. A cell that a spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV injection). */
export function toCsv(rows: string[][]): string {
  return rows.map((row) => row.map(cell).join(',')).join('\r\n');
}

function cell(text: string): string {
  const plain = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
