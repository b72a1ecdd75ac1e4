/**
 * Every gate; one line each as it ends, what went wrong below it, and a sum at the end.
 * `--skip-tests` leaves the tests to somebody who has just run them.
 * @module
 */
import { readdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from './run-tool';
import { bundleWorkflows } from './workflow-bundle';

/**
 * The workflows' code without its source map. Every worker loads it, and every cached case runs it: growth here is
 * memory per case.
 */
const workflowBundleBudgetBytes = 1_000_000;
/** Events of a whole recorded case: stolen, proven, replaced, back again, recovered. Far below where Temporal wants a new run. */
const standardCaseBudgetEvents = 300;

interface Gate {
  name: string;
  /** Ok with a remark for the line, or what went wrong. */
  check(): Promise<{ ok: boolean; output: string; remark?: string }>;
}

const tool = (name: string, command: string, ...args: string[]): Gate => ({
  name,
  check: () => runTool(command, args),
});

/** The pattern in `exports` stands for these. */
const productEntries = readdirSync(join(__dirname, '..', 'plugins'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `plugins/${name}`);

const story = (title: string, name: string) => tool(`demo: ${title}`, 'tsx', 'demo/main.ts', '--exit', '--story', name);

/** Two rows side by side, each in its order: a demo mostly waits. */
const rows: Gate[][] = [
  [
    tool('format', 'prettier', '--check', '.'),
    tool('lint', 'eslint', '.', '--max-warnings', '0'),
    tool('types', 'tsc', '--noEmit', '-p', '.'),
    tool('dead code', 'knip', '--no-config-hints'),
    tool('docs: errors in step', 'tsx', 'setup/docs.ts', '--check'),
    tool('docs: schemas in step', 'tsx', 'setup/schemas.ts', '--check'),
    tool('docs: commands in step', 'tsx', 'setup/cli-docs.ts', '--check'),
    tool('docs: references in step', 'tsx', 'setup/references.ts', '--check'),
    tool('package: packed, installed and run elsewhere', 'tsx', 'setup/installed-package.ts'),
    tool('package: publint', 'publint', '--strict'),
    // As Node resolves it from CommonJS and from modules; older ways know no subpaths.
    tool('package: types', 'attw', '--pack', '.', '--profile', 'node16', '--include-entrypoints', ...productEntries),
    { name: 'budget: workflow bundle', check: checkBundle },
    { name: 'budget: history of a standard case', check: checkHistory },
  ],
  [
    story('a laptop recovered', 'recovered'),
    story('a laptop that never reappears', 'never-reappears'),
    story('lost in the office', 'office'),
    story('a laptop wiped', 'wiped'),
    story('a laptop tampered with', 'tampered'),
  ],
];

async function checkBundle() {
  const code = (await bundleWorkflows()).replace(/\/\/# sourceMappingURL=.*/s, '');
  const bytes = Buffer.byteLength(code);
  const remark = `${bytes} of ${workflowBundleBudgetBytes} bytes`;
  return { ok: bytes <= workflowBundleBudgetBytes, output: `The bundle of the workflows has ${remark}.`, remark };
}

async function checkHistory() {
  const recorded = join(__dirname, '..', 'test', 'histories', 'recorded');
  const newest = (await readdir(recorded)).sort((a, b) => parseInt(a) - parseInt(b)).at(-1) ?? '';
  const text = await readFile(join(recorded, newest, 'case-recovered.json'), 'utf8');
  const { history } = JSON.parse(text) as { history: { events: unknown[] } };
  const remark = `${history.events.length} of ${standardCaseBudgetEvents} events`;
  return { ok: history.events.length <= standardCaseBudgetEvents, output: `The recorded case has ${remark}.`, remark };
}

/** True when the gate is passed. */
async function pass({ name, check }: Gate): Promise<boolean> {
  const start = Date.now();
  const { ok, output, remark } = await check();
  const seconds = ((Date.now() - start) / 1_000).toFixed(1);
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${name} (${remark ? `${remark}, ` : ''}${seconds} s)\n`);
  if (!ok) process.stdout.write(output.trimEnd().replace(/^/gm, '     ') + '\n');
  return ok;
}

async function verify(): Promise<void> {
  const passed: boolean[] = [];
  // Tests take the whole machine.
  if (!process.argv.includes('--skip-tests'))
    passed.push(await pass(tool('tests', 'jest', '--ignoreProjects', 'faults')));
  await Promise.all(
    rows.map(async (gates) => {
      for (const gate of gates) passed.push(await pass(gate));
    }),
  );
  const failed = passed.filter((ok) => !ok).length;
  process.stdout.write(`${passed.length - failed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}

void verify();
