/** What the documents promise is there: links, files, commands with their options, and a settings example that is taken. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cliHelp } from '../../cli/program';
import { parse, stringify } from 'yaml';
import { duration } from '../../playbook/clock-time';
import { defaultRules } from '../../playbook/rules';
import { createPlugins } from '../../plugins';
import { writeNewKeyring } from '../../settings/keyring';
import { loadSettings } from '../../settings/load';

const root = path.resolve(__dirname, '../..');
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const documents = markdownBelow('');
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');

test('the documents are found', () => {
  expect(documents).toEqual(
    expect.arrayContaining(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'plugins/netskope/README.md']),
  );
});

test.each(documents)('%s keeps its promises', (file) => {
  expect(mistakesIn(file, readFileSync(path.join(root, file), 'utf8'))).toEqual([]);
});

test('a broken promise of every kind is found', () => {
  const text = [
    '[a](docs/nowhere.md) [b](docs/errors.md#nothing-of-this-name) [c](#nor-this) [fine](docs/errors.md#badinput)',
    '`workflows/gone.ts`, `gone/`, `workflows/ids.ts`, `npm run gone`, `npm run demo -- --exit`, `npx tsx setup/gone.ts`',
    '`lost-device gone`, `lost-device start --gone x`, `lost-device --json show SN0042`, `lost-device plugins test x`',
    '```sh\nnode dist/gone.js\nnode dist/worker.js\nnpm run lost-device -- plugins gone\n```',
  ].join('\n');
  expect(mistakesIn('README.md', text)).toEqual([
    'link docs/nowhere.md',
    'link docs/errors.md#nothing-of-this-name',
    'link #nor-this',
    'file workflows/gone.ts',
    'file gone/',
    'npm run gone',
    'npx tsx setup/gone.ts',
    'node dist/gone.js',
    'lost-device gone',
    'lost-device start --gone',
    'lost-device plugins gone',
  ]);
});

test('the settings that the documents show are taken, once their secrets are in the environment', async () => {
  const example = readFileSync(path.join(root, 'docs/lost-device.example.yaml'), 'utf8');
  const [least = '', people = ''] = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  // What is commented out as an alternative must be right as well.
  const alternatives = example
    .replace(/^( *)# (?=(encryption|tag|v1Token|lostGroupId|provisioning|address|clocks|feeds): )/gm, '$1')
    .replace(/^( *)# (?=(pager|intune|crowdstrike|secrets):$| +\w+: )/gm, '$1');
  const environment = { ...process.env };
  const folder = mkdtempSync(path.join(tmpdir(), 'example-'));
  try {
    delete process.env.TEMPORAL_ADDRESS;
    for (const [, name = ''] of example.matchAll(/env:(\w+)/g))
      process.env[name] = `whsec_${Buffer.from('a secret of thirty-two letters').toString('base64')}`;
    await writeNewKeyring(path.join(folder, 'keyring.json'));
    process.env.PAGERDUTY_ROUTING_KEY = 'r'.repeat(32);
    process.env.SECRETS_KEY = Buffer.alloc(32).toString('base64');
    const productsOf = async (text: string) => {
      const file = path.join(folder, 'lost-device.yaml');
      writeFileSync(file, text);
      const { tenants } = await loadSettings(file);
      return [...createPlugins(tenants.acme?.plugins ?? {}).keys()];
    };
    const all = ['netskope', 'entra', 'servicenow', 'generic', 'mail', 'archive'];
    expect(await productsOf(example)).toEqual(all);
    expect(
      alternatives.match(/^ *(encryption|tag|v1Token|lostGroupId|provisioning|address|clocks|routingKey|feeds): /gm),
    ).toHaveLength(10);
    expect(await productsOf(alternatives)).toEqual(all.toSpliced(-1, 0, 'pager', 'intune', 'crowdstrike', 'secrets'));
    expect(await productsOf(least)).toEqual(['netskope', 'generic', 'archive']);
    const whole = parse(example) as { tenants: { acme: object } };
    const parts = parse(people) as object;
    expect(Object.keys(parts)).toEqual(['people', 'rotas', 'sites', 'rules']);
    Object.assign(whole.tenants.acme, parts);
    expect(await productsOf(stringify(whole))).toEqual(all);
  } finally {
    process.env = environment;
    rmSync(folder, { recursive: true });
  }
});

test('the README shows the default ladder as it is', () => {
  const rows = [
    ...readme.matchAll(/^\| `([a-z-]+)` +\|.*\| (at once|\d.*?) +\| (.*?) +\| (.*?) +\| (calls|waits) +\|$/gm),
  ];
  const every = (ms?: number) => (ms === undefined ? '–' : `every ${duration(ms)}`);
  expect(rows.map(([, ...cells]) => cells)).toEqual(
    defaultRules.escalation.ladder.map(({ name, afterMs, repeatEveryMs, deputiesAfterMs, inQuietHours }) => [
      name,
      afterMs === 0 ? 'at once' : duration(afterMs),
      every(repeatEveryMs),
      deputiesAfterMs === undefined ? '–' : duration(deputiesAfterMs),
      inQuietHours === 'page' ? 'calls' : 'waits',
    ]),
  );
});

/** Everything a document names that is not there, in the order of kinds. */
function mistakesIn(file: string, text: string): string[] {
  const code = [...text.matchAll(/```.*\n([\s\S]*?)```|`([^`\n]+)`/g)].map(
    ([, block, inline]) => block ?? inline ?? '',
  );
  const all = code.join('\n');
  const found = (pattern: RegExp, within = all) => [...within.matchAll(pattern)].map(([, name = '']) => name);
  const isThere = (name: string) =>
    [root, path.dirname(path.join(root, file))].some((at) => existsSync(path.join(at, name)));
  const made = /^(dist|data|node_modules|coverage)\//;
  return [
    ...found(/\]\(([^)\s]+)\)/g, text)
      .filter((target) => !/^[a-z]+:/.test(target) && !linkResolves(file, text, target))
      .map((target) => `link ${target}`),
    ...code
      .filter((name) => /^[\w.-]+(\/[\w.-]+)*(\/|\/[\w.-]+\.(ts|mjs|js|json|md|yaml))$/.test(name))
      .filter((name) => !made.test(name) && !isThere(name))
      .map((name) => `file ${name}`),
    ...found(/\bnpm run (?:--\S+ )*([a-z][\w:-]*)/g)
      .filter((name) => scripts[name] === undefined)
      .map((name) => `npm run ${name}`),
    ...found(/\bnpx tsx ([\w./-]+)/g)
      .filter((name) => !isThere(name))
      .map((name) => `npx tsx ${name}`),
    ...found(/\bnode dist\/([\w/-]+)\.js/g)
      .filter((name) => !isThere(`${name}.ts`))
      .map((name) => `node dist/${name}.js`),
    ...found(/^(?:\$ )?(?:npm run )?lost-device(?: --)?(?= |$)(.*)$/gm).flatMap(cliMistakes),
  ];
}

function linkResolves(file: string, text: string, target: string): boolean {
  const [name = '', anchor] = target.split('#');
  const linked = name === '' ? path.join(root, file) : path.resolve(root, path.dirname(file), name);
  if (!existsSync(linked)) return false;
  if (anchor === undefined || statSync(linked).isDirectory()) return anchor === undefined;
  const headings = (name === '' ? text : readFileSync(linked, 'utf8')).matchAll(/^#+ (.*)$/gm);
  return [...headings].some(([, heading = '']) => anchorOf(heading) === anchor);
}

/** As GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** A line behind `lost-device`: the command is there, and takes every option that is named. */
function cliMistakes(line: string): string[] {
  const help = new Map(
    cliHelp()
      .split(/^## /m)
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf('\n')), part]),
  );
  const words = line
    .replace(/\s[#|].*$/, '')
    .replace(/(["']).*?\1/g, 'TEXT')
    .trim()
    .split(/\s+/)
    .filter(Boolean);
  const options = words.filter((word) => word.startsWith('--'));
  const named = words
    .join(' ')
    .replace(/--(settings|as|reason) \S+ ?|--json ?/g, '')
    .split(' ');
  const [command = '', second = ''] = named;
  if (command === '' || command.startsWith('--')) return [];
  const name = `lost-device ${command === 'plugins' && second !== '' ? `plugins ${second}` : command}`;
  const takes = help.get(name);
  if (takes === undefined) return [name];
  const known = `${takes}${help.get('lost-device') ?? ''}`;
  return options.filter((option) => !known.includes(`${option} `)).map((option) => `${name} ${option}`);
}

function markdownBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name);
    if (['node_modules', 'dist', 'data', 'coverage'].includes(name) || entry.name.startsWith('.')) return [];
    if (entry.isDirectory()) return markdownBelow(name);
    return entry.name.endsWith('.md') ? [name] : [];
  });
}
