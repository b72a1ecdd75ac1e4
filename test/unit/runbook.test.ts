/** Every decision and every question has its page, and every prerequisite its place in the guide to a tenant. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { cliHelp } from '../../cli/program';
import { aboutOffice, mayContain, proposalId, putBackStep } from '../../playbook/question-ids';
import { attestedPrerequisites } from '../../plugins/netskope/attested';
import * as messages from '../../workflows/messages';

const root = path.resolve(__dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const index = read('docs/runbook/README.md');
const commands = [...cliHelp().matchAll(/^## lost-device (.+)$/gm)].map(([, name = '']) => name);

/** Each decision of a person, by its message, and the commands that take it. A new message must stand here. */
const decisions: Record<string, string[]> = {
  acknowledge: ['acknowledge'],
  snooze: ['snooze'],
  closeTask: ['task-done', 'task-not-needed'],
  startClock: ['start-clock'],
  stateEncryption: ['encryption'],
  requestWipe: ['request-wipe'],
  approveWipe: ['approve-wipe'],
  refuseWipe: ['refuse-wipe'],
  cancelWipe: ['cancel-wipe'],
  isolate: ['isolate'],
  releaseIsolation: ['release'],
  lock: ['lock'],
  writeOff: ['write-off'],
  answer: ['answer'],
  retry: ['retry'],
  skip: ['skip'],
  sighting: ['sighting'],
  replace: ['replace'],
  recovered: ['recovered'],
  falseAlarm: ['false-alarm'],
  applyRules: ['settings apply'],
  freeze: ['freeze'],
  unfreeze: ['unfreeze'],
};
/** What programs ask of each other. */
const notOfPersons = ['permitCommand', 'admitContainments'];
/** What a person says that is no message to a case that is there. */
const saidOtherwise = ['start', 'attest'];

test('the decisions are those that cases and guards take', () => {
  const updates = Object.values(messages).flatMap((one) =>
    typeof one === 'object' && one.type === 'update' ? [one.name ?? ''] : [],
  );
  expect(updates.sort()).toEqual([...Object.keys(decisions), ...notOfPersons].sort());
});

test.each([...Object.values(decisions).flat(), ...saidOtherwise])('%s has a page that shows it', (command) => {
  expect(commands).toContain(command);
  const [, page = ''] = new RegExp(`^\\| \`lost-device ${command}\` .*\\(([\\w-]+\\.md)`, 'm').exec(index) ?? [];
  expect(page).not.toBe('');
  const blocks = [...read(`docs/runbook/${page}`).matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  expect(blocks.join('\n')).toMatch(new RegExp(`^ *lost-device ${command} `, 'm'));
});

test('every question has its page', () => {
  const asked = [...index.matchAll(/^\| `([^`]+)` .*\(([\w-]+\.md)(?:#[\w-]+)?\) +\|$/gm)]
    .filter(([, id = '']) => !id.startsWith('lost-device '))
    .map(([, id = '', page = '']) => ({ id, page }));
  const proposals = (['lost mode', 'wipe', 'write-off', 'close as wiped'] as const).map(proposalId);
  expect(asked.map(({ id }) => id).sort()).toEqual(
    [
      mayContain,
      `${aboutOffice}<site>`,
      putBackStep('lost-group').replace('lost-group', '<lever>'),
      ...proposals,
      ...['which-device', 'approve the wipe', 'was the wipe sent', 'release before the wipe is over'],
    ].sort(),
  );
  for (const { page } of asked) expect(existsSync(path.join(root, 'docs/runbook', page))).toBe(true);
});

test('a place that asks something new is found', () => {
  const files = readdirSync(path.join(root, 'workflows'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const places = files.flatMap((name) => [...read(`workflows/${name}`).matchAll(/\bc\.ask\(|state\.question = /g)]);
  // Of the nine of a case one proposes three things; the tenth is a triage's.
  expect(places).toHaveLength(10);
});

test('every page of the runbook is reached from its index', () => {
  const pages = readdirSync(path.join(root, 'docs/runbook')).filter((name) => name !== 'README.md');
  expect(pages.filter((page) => !index.includes(`(${page}`))).toEqual([]);
});

test('every prerequisite of a product has its step in the guide to a tenant', () => {
  const guide = read('docs/connect-your-tenant.md');
  const sources = [
    'netskope/prerequisites',
    'intune/prerequisites',
    'entra/prerequisites',
    ...['servicenow', 'crowdstrike', 'pagerduty', 'smtp'].map((name) => `${name}/index`),
  ];
  const named = sources.flatMap((name) =>
    [
      ...read(`plugins/${name}.ts`).matchAll(
        /'((?:netskope|intune|entra|servicenow|crowdstrike|pagerduty|mail)-[a-z0-9-]+)'/g,
      ),
    ].map(([, id = '']) => id),
  );
  const own = [...read('playbook/prerequisites.ts').matchAll(/ {4}id: '([a-z-]+)'/g)].map(([, id = '']) => id);
  const ids = new Set([...named, ...own, ...attestedPrerequisites.map(({ id }) => id)]);
  expect(ids.size).toBeGreaterThan(50);
  expect([...ids].filter((id) => !guide.includes(`\`${id}\``))).toEqual([]);
  for (const { id } of attestedPrerequisites) expect(guide).toContain(`lost-device attest ${id} `);
});
