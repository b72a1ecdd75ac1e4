/**
 * The fault matrix as people read it: for each product and fault how often it was tried and what came of it. It is kept in
 * docs/reliability.md between two markers.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allOperations, type Outcome, type Result } from './matrix-cells';
import { vendorFaults } from './vendor-faults';

const page = join(__dirname, '..', '..', 'docs', 'reliability.md');
const markers = ['<!-- the fault matrix -->', '<!-- end of the fault matrix -->'] as const;
const counted = ['right', 'asked a person', 'doubled', 'lost'] as const satisfies Outcome[];

/** A table for each product that is talked to. A dash: the fault does not apply there, and was not tried. */
export function describeMatrix(results: Result[]): string {
  const products = [...new Set(allOperations.map(({ plugin }) => plugin))].sort();
  return products.map((product) => describeProduct(product, results)).join('\n\n');
}

function describeProduct(product: string, results: Result[]): string {
  const operations = allOperations.filter(({ plugin }) => plugin === product).length;
  const rows = vendorFaults.map(({ name }) => {
    const outcomes = results
      .filter(({ cell, outcome }) => cell.fault.name === name && outcome !== 'does not apply')
      .flatMap(({ cell, outcome }) => cell.operations.flatMap(({ plugin }) => (plugin === product ? [outcome] : [])));
    if (outcomes.length === 0) return [name, ...Array<string>(counted.length + 1).fill('–')];
    const counts = counted.map((wanted) => outcomes.filter((outcome) => outcome === wanted).length);
    return [name, ...[outcomes.length, ...counts].map(String)];
  });
  return `### ${product}: ${operations} operations\n\n${tableOf(['fault', 'tried', ...counted], rows)}`;
}

/** Padded as the formatter pads it. */
function tableOf(head: string[], rows: string[][]): string {
  const widths = head.map((title, column) =>
    Math.max(3, ...[title, ...rows.map((row) => row[column] ?? '')].map((text) => text.length)),
  );
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** The table as the page has it. */
export function readKeptMatrix(): string {
  const { kept } = readPage();
  return kept;
}

/**
 * A table without its columns *right* and *asked a person*, of which the sum is what was tried: a machine that is slow enough makes
 * an answer a time-out, and so a question to a person.
 */
export function whatIsTried(table: string): string {
  return table.replace(/^(\| [^|]*\|[^|]*)\|[^|]*\|[^|]*(\|[^|]*\|[^|]*\|)$/gm, '$1$2');
}

/** Write the table into the page. */
export function keepMatrix(table: string): void {
  const { before, after } = readPage();
  writeFileSync(page, `${before}${markers[0]}\n\n${table}\n\n${markers[1]}${after}`);
}

function readPage(): { before: string; kept: string; after: string } {
  const text = readFileSync(page, 'utf8');
  const [from, to] = markers.map((marker) => text.indexOf(marker)) as [number, number];
  if (from < 0 || to < from) throw new Error(`${page} has lost its markers ${markers.join(' and ')}`);
  return {
    before: text.slice(0, from),
    kept: text.slice(from + markers[0].length, to).trim(),
    after: text.slice(to + markers[1].length),
  };
}
