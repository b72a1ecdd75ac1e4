/**
 * The command `init`: asks which products are in use, and writes the first settings file.
 * @module
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline/promises';
import type { Command } from 'commander';
import { plugins } from '../plugins';
import { BadInput } from '../plugins/errors';
import { firstFile, neededFields, neededProducts, usualProducts, type FirstAnswers } from '../settings/first-file';
import { loadSettingsWithoutSecrets, usualFile } from '../settings/load';
import { packageFolder } from './package-folder';
import { tell, type GlobalOptions } from './session';

interface InitOptions {
  defaults?: boolean;
  file?: string;
  force?: boolean;
}

export function addInitCommand(program: Command): void {
  program
    .command('init')
    .description(
      'Write the first settings file: every setting with its meaning and its default. It asks which products are in use.',
    )
    .option('--defaults', 'ask nothing: Netskope, a folder as the archive, and signed webhooks')
    .option('--file <path>', 'where to write it; else the settings file')
    .option('--force', 'write over a file that is there; secrets stay as they are')
    .action(async ({ defaults, file: wanted, force }: InitOptions, command: Command) => {
      const file = wanted ?? command.optsWithGlobals<GlobalOptions>().settings ?? usualFile();
      if (!force && existsSync(file))
        throw new BadInput('LDP_BAD_INPUT', `${file} is there already: --force writes over it`);
      const answers = defaults ? unasked() : await ask();
      const folder = path.dirname(path.resolve(file));
      const { text, secrets } = firstFile(
        answers,
        path.relative(folder, path.join(packageFolder, 'docs', 'schemas', 'settings.json')),
      );
      await mkdir(folder, { recursive: true });
      const toFill: string[] = [];
      for (const { path: place, secret, made } of secrets) {
        const secretFile = path.resolve(folder, place);
        await mkdir(path.dirname(secretFile), { recursive: true, mode: 0o700 });
        // One that is there may be the real one.
        await writeFile(secretFile, `${secret}\n`, { flag: 'wx', mode: 0o600 }).catch(unlessThere);
        if (!made && (await readFile(secretFile, 'utf8')).trim() === secret) toFill.push(place);
      }
      await writeFile(file, text, { flag: force ? 'w' : 'wx' });
      // What was answered may not fit: said at once, with its line.
      await loadSettingsWithoutSecrets(file);
      tell(command, { file, products: Object.keys(answers.products), secretsToFill: toFill }, () =>
        [
          `Wrote ${file}.`,
          ...(toFill.length > 0 ? [`Put each secret into its file: ${toFill.join(', ')}.`] : []),
          'Correct what ends in .invalid, then `lost-device check` says what is not ready yet.',
        ].join('\n'),
      );
    });
}

const unasked = (): FirstAnswers => ({
  tenant: 'main',
  products: Object.fromEntries(usualProducts.map((product) => [product, {}])),
});

/** Asks on the error output, so that what is printed stays the answer. Enter takes what stands in brackets. */
async function ask(): Promise<FirstAnswers> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<never>((_, reject) =>
    lines.once('close', () =>
      reject(
        new BadInput('LDP_BAD_INPUT', 'the answers ended too early, and nothing was written: --defaults asks nothing'),
      ),
    ),
  );
  ended.catch(() => {});
  const question = askOn(lines, ended);
  try {
    const tenant = await question('A name for your company, in small letters', 'main', (name) =>
      /^[a-z][a-z0-9-]{0,39}$/.test(name) ? undefined : 'Small letters, digits and -, please.',
    );
    const products: FirstAnswers['products'] = {};
    for (const [name, { title, roles }] of Object.entries(plugins)) {
      const usual = usualProducts.includes(name) ? 'yes' : 'no';
      const inUse =
        neededProducts.includes(name) ||
        (await question(`${title} (${roles.join(', ')}): in use?`, usual, isYesOrNo)).startsWith('y');
      if (!inUse) continue;
      const answers: Record<string, unknown> = {};
      for (const { name: field, description, example, secret } of neededFields(name)) {
        if (secret) continue;
        const list = Array.isArray(example);
        const given = await question(`${title}, ${field}: ${description}`, list ? example.join(', ') : String(example));
        answers[field] = list ? given.split(',').map((item) => item.trim()) : given;
      }
      products[name] = answers;
    }
    return { tenant, products };
  } finally {
    lines.close();
  }
}

const isYesOrNo = (answer: string) => (/^(y|yes|n|no)$/i.test(answer) ? undefined : 'yes or no, please.');

function askOn(lines: Interface, ended: Promise<never>) {
  // Lines that come faster than questions are kept: whoever pipes them in sends all of them at once.
  const coming = lines[Symbol.asyncIterator]();
  return async (text: string, usual: string, whyNot: (answer: string) => string | undefined = () => undefined) => {
    for (;;) {
      process.stderr.write(`${text} [${usual}] `);
      const next = await Promise.race([coming.next(), ended]);
      const answer = String(next.value ?? '').trim() || usual;
      const wrong = whyNot(answer);
      if (wrong === undefined) return answer;
      process.stderr.write(`${wrong}\n`);
    }
  };
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
