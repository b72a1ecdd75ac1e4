/**
 * The commands of a page, in its order. A comment before a block of commands says what the block alone does not:
 *
 *     <!-- scene: its wipe was asked for -->      what the world is like from here on (guide-scenes.ts)
 *     <!-- not run: it asks at the keyboard -->   why the next block is read and not run
 *     <!-- stays -->                              the next block runs until the page ends
 *
 * A block of text at once below a block of commands is what the last of them prints, among other lines; … stands for anything.
 * @module
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

export const root = path.resolve(__dirname, '../..');

export interface Block {
  line: number;
  text: string;
  notRun?: string;
  stays?: true;
  /** Lines that the last command prints; … stands for anything. */
  prints: string[];
}

export type Step = { scene: string; line: number } | Block;

/** @throws Error naming a comment of ours that stands before no block. */
export function readPage(file: string): Step[] {
  const steps: Step[] = [];
  let mark: { line: number; as: Partial<Block> } | undefined;
  let open: { line: number; indent: number; fence: string; language: string; lines: string[] } | undefined;
  let above: Block | undefined;
  const lines = readFileSync(path.join(root, file), 'utf8').split('\n');
  const unused = () => {
    if (mark) throw new Error(`${file}:${mark.line}: no block of commands follows`);
  };
  lines.forEach((text, index) => {
    const line = index + 1;
    const fence = /^( *)(`{3,})(\w*)/.exec(text);
    if (open) {
      if (fence?.[2] !== open.fence || fence[3] !== '') return void open.lines.push(text.slice(open.indent));
      if (open.language === 'sh') {
        above = { line: open.line, text: open.lines.join('\n'), prints: [], ...mark?.as };
        steps.push(above);
        mark = undefined;
      } else if (open.language === 'text') above?.prints.push(...open.lines.filter((one) => one.trim() !== ''));
      open = undefined;
    } else if (fence) {
      const [, indent = '', ticks = '', language = ''] = fence;
      if (/^(bash|shell|console|zsh)$/.test(language))
        throw new Error(`${file}:${line}: commands stand in blocks of sh`);
      open = { line: line + 1, indent: indent.length, fence: ticks, language, lines: [] };
    } else {
      if (text.trim() !== '') above = undefined;
      const [, key, more] = /^ *<!-- (scene|not run|stays)(?:: (.+))? -->$/.exec(text) ?? [];
      if (key === undefined) return;
      unused();
      if (key !== 'stays' && more === undefined) throw new Error(`${file}:${line}: which scene, or why not?`);
      if (key === 'scene') steps.push({ scene: more ?? '', line });
      else mark = { line, as: key === 'stays' ? { stays: true } : { notRun: more ?? '' } };
    }
  });
  unused();
  return steps;
}

/**
 * The commands of a block where each is words and quotes and nothing else; undefined where a shell must read it.
 * What a shell would do to such a line is done here: words, quotes, comments, and lines that go on.
 */
export function plainCommands(text: string): string[][] | undefined {
  const commands: string[][] = [];
  for (const line of text.replace(/ *\\\n */g, ' ').split('\n')) {
    const words: string[] = [];
    let rest = line.trim();
    while (rest !== '' && !rest.startsWith('#')) {
      const [word = ''] = /^(?:[^\s"'$`|<>;&()\\#*?~]|"[^"$`\\]*"|'[^']*')+/.exec(rest) ?? [];
      if (word === '') return undefined;
      words.push(word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));
      rest = rest.slice(word.length);
      if (rest !== '' && !/^\s/.test(rest)) return undefined;
      rest = rest.trimStart();
    }
    if (words.length > 0) commands.push(words);
  }
  return commands;
}

/** What our program is given by this command; undefined when it is another program's. */
export function argumentsOfOurs(words: string[]): string[] | undefined {
  const program = words.findIndex((word) => !/^[A-Z_]+=/.test(word));
  const [first, ...rest] = words.slice(program);
  if (first === 'lost-device') return rest;
  return words.slice(program, program + 4).join(' ') === 'npm run lost-device --'
    ? words.slice(program + 4)
    : undefined;
}
