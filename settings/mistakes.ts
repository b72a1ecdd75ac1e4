/**
 * What is wrong in a settings file: gathered, so that all of it is said at once, each with its line.
 * @module
 */
import { isMap, isNode, isSeq, type Document, type LineCounter } from 'yaml';
import type { z } from 'zod';
import { BadInput } from '../plugins/errors';

/** Where in the file: keys and positions from the top. */
export type Path = (string | number)[];

export class Mistakes {
  private readonly found: { path: Path; message: string }[] = [];

  constructor(
    private readonly file: string,
    private readonly document: Document,
    private readonly lines: LineCounter,
  ) {}

  /** `message` says what is wrong and what to write instead. It never holds the value. */
  add(path: Path, message: string): void {
    this.found.push({ path, message });
  }

  /** Take over what zod found, except where a mistake is known already: one cause, one line. */
  addIssues(issues: z.core.$ZodIssue[], under: Path = []): void {
    const known = new Set(this.found.map(({ path }) => path.join('.')));
    for (const issue of issues) {
      const path = [...under, ...(issue.path as Path)];
      if (path.some((_, index) => known.has(path.slice(0, index + 1).join('.')))) continue;
      if (issue.code === 'unrecognized_keys') {
        for (const key of issue.keys)
          this.add([...path, key], 'there is no such setting: correct its name or remove it');
      } else if (issue.code === 'invalid_key') {
        this.add(path, issue.issues[0]?.message ?? issue.message);
      } else {
        this.add(path, issue.message.replace('Invalid input: ', ''));
      }
    }
  }

  /** In the order of the file. */
  get all(): { line: number; path: string; message: string }[] {
    return this.found
      .map(({ path, message }) => ({ line: this.lineOf(path), path: path.join('.'), message }))
      .sort((a, b) => a.line - b.line);
  }

  /** @throws BadInput LDP_BAD_INPUT with a line for each mistake, in the order of the file; returns when there is none. */
  throwIfAny(): void {
    const { all } = this;
    const [first] = all;
    if (first === undefined) return;
    const text = all.map(({ line, path, message }) => `${this.file}:${line} ${path ? `${path} ` : ''}${message}`);
    throw new BadInput('LDP_BAD_INPUT', text.join('\n'), { field: first.path });
  }

  /** The line of the deepest part of the path that the file has: for a missing setting, the one it is missing in. */
  private lineOf(path: Path): number {
    for (let length = path.length; length > 0; length -= 1) {
      const parent = length === 1 ? this.document.contents : this.document.getIn(path.slice(0, length - 1), true);
      const last = path[length - 1];
      const place = isMap(parent)
        ? parent.items.find(({ key }) => String(key) === String(last))?.key
        : isSeq(parent)
          ? parent.items[Number(last)]
          : undefined;
      if (isNode(place) && place.range) return this.lines.linePos(place.range[0]).line;
    }
    return 1;
  }
}
