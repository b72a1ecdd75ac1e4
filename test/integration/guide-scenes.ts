/**
 * What a page may begin with: a house with every product, and in it a laptop for each scene, in the state that its name says.
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { CaseState } from '../../playbook/case';
import type { Rung } from '../../playbook/ladder';
import type { Rules } from '../../playbook/rules';
import { nothingKnown, type Answers } from '../../playbook/report';
import { approveWipe, recovered, requestWipe, startClock, writeOff } from '../../workflows/messages';
import { startTestHouse, tenant, type Fault, type Laptop, type TestHouse } from '../setup/test-house';

export type Scene = Laptop & { ticket: string; ticketId: string };

const person = (name: string) => ({ person: name, authenticated: false, how: 'test' });
const wipeWaits = { settleMs: 300, lookFirstMs: 300, lookMaxMs: 600, askEveryMs: 400 };

export async function startGuideHouse(): Promise<TestHouse> {
  const house = await startTestHouse({
    laptops: 80,
    with: {
      entra: true,
      servicenow: true,
      pagerDuty: true,
      crowdstrike: true,
      secrets: true,
      intune: true,
      netskopeV1: true,
    },
    people: {
      ana: { timeZone: 'UTC', notify: { pager: true, mail: 'ana@example.test' } },
      ben: { timeZone: 'UTC', notify: { pager: true, mail: 'ben@example.test' } },
    },
    sites: [{ name: 'Amsterdam', addresses: ['198.51.100.0/24'] }],
    wipe: { dryRun: false, perHour: 1_000, perDay: 1_000, approvers: ['ana', 'ben'] },
    rules: { wipe: { waits: wipeWaits } },
    intuneTimeoutMs: 2_000,
  });
  // Every wipe reads the steering configuration, and many are asked for at once here.
  await house.control('POST', 'tenant', { limits: { netskopeV1PerFiveSeconds: 10_000 } });
  return house;
}

/** What the vendors refuse is refused to every laptop, so these are played alone, before all others. */
const alone = ['a step is stuck', 'two steps are stuck', 'nobody knows whether its wipe was sent'];

/** Plays every scene once for each time that it is named, in no order. What went wrong in one is thrown by its function. */
export async function playScenes(house: TestHouse, names: string[]): Promise<(() => Scene)[]> {
  const play = async (name: string): Promise<() => Scene> => {
    try {
      const begin = scenes[name];
      if (!begin) throw new Error(`There is no scene "${name}". There are: ${Object.keys(scenes).join(', ')}`);
      const laptop = house.laptop();
      const { number, sys_id } = await house.ticket({ u_serial: laptop.serial, caller: laptop.user });
      const scene = { ...laptop, ticket: number, ticketId: sys_id };
      await begin({ house, scene });
      return () => scene;
    } catch (error) {
      return () => {
        throw error;
      };
    }
  };
  const found = new Map<number, () => Scene>();
  const isAlone = (name: string) => alone.includes(name);
  for (const [index, name] of names.entries()) if (isAlone(name)) found.set(index, await play(name));
  await Promise.all(names.map(async (name, index) => isAlone(name) || found.set(index, await play(name))));
  return names.map((_, index) => found.get(index)!);
}

interface Played {
  house: TestHouse;
  scene: Scene;
}

/** By the words of the pages. */
const scenes: Record<string, (played: Played) => Promise<unknown>> = {
  'nothing is lost': async () => {},

  'it is contained': (played) => contained(played),

  'a step is stuck': (played) => stuck(played, 1, { template: '/v1.0/users/{id}/revokeSignInSessions' }),

  'two steps are stuck': (played) =>
    stuck(played, 2, { method: 'PATCH', path: `/api/now/table/incident/${played.scene.ticketId}` }),

  'it asks whether to contain': async ({ house, scene }) => {
    await house.move(scene.serial, {
      do: 'second-device',
      newSerial: `B-${scene.serial}`,
      newHostname: `B-${scene.hostname}`,
    });
    await report({ house, scene }, { rules: (rules) => ({ ...rules, whenUserHasOtherDevices: 'ask' }) });
    await untilAsked({ house, scene }, 'contain');
    await until({ house, scene }, 'somebody is called', (state) => calledFor(state, 'question') === 1);
  },

  'it is not known which device it is': async ({ house, scene }) => {
    await house.move(scene.serial, {
      do: 'second-device',
      newSerial: `B-${scene.serial}`,
      newHostname: scene.hostname,
    });
    const { number } = await house.ticket({ description: `hostname: ${scene.hostname}` });
    scene.ticket = number;
    const { workflowId } = await house.report({ source: 'servicenow', ticket: number });
    await house.untilTriage(workflowId, 'a question', ({ question }) => question !== undefined);
  },

  'it is seen in the office': async ({ house, scene }) => {
    await contained({ house, scene });
    await house.move(scene.serial, { do: 'online', place: 'office' });
    await untilAsked({ house, scene }, 'office: Amsterdam');
  },

  'it was silent for so long that all is proposed': async ({ house, scene }) => {
    const soon = (rung: Rung): Rung => (rung.when === 'silent' ? { ...rung, afterMs: 1_000 } : rung);
    await contained({ house, scene }, { rules: (rules) => withLadder(rules, soon) });
    for (const proposed of ['lost mode', 'wipe', 'write-off'])
      await untilAsked({ house, scene }, `propose: ${proposed}`);
  },

  'somebody takes it out of the group': async ({ house, scene }) => {
    const levers = { lookEveryMs: 1_000, lookWhenHeardMs: 1_000, putBackPerDay: 0 };
    await contained({ house, scene }, { rules: (rules) => ({ ...rules, levers }) });
    await house.move(scene.serial, { do: 'tamper', how: 'removed-from-group' });
    await untilAsked({ house, scene }, 'put back: lost-group');
  },

  'its clock runs': async ({ house, scene }) => {
    await contained({ house, scene });
    for (const clock of ['gdpr', 'nis2'])
      await house.decide(scene.workflowId, startClock, { clock, awareAt: new Date().toISOString() });
  },

  'a wipe was asked for': (played) => wipeAsked(played, 'stolen'),

  'its wipe is held': async (played) => {
    await wipeApproved(played, 'lost');
    await until(played, 'held', ({ wipe }) => wipe.held?.by === 'until seen');
  },

  'nobody knows whether its wipe was sent': async (played) => {
    await played.house.fault({
      match: { method: 'POST', path: '/beta/deviceManagement/managedDevices/' },
      when: 'before',
      effect: { status: 503 },
    });
    await wipeApproved(played, 'stolen');
    await untilAsked(played, 'was the wipe sent');
    await played.house.clearFaults();
  },

  'it is back, and its wipe may still land': async (played) => {
    await wipeApproved(played, 'stolen');
    await until(played, 'queued', ({ wipe }) => wipe.state === 'queued');
    await played.house.decide(played.scene.workflowId, recovered, {});
    await untilAsked(played, 'release before the wipe is over');
  },

  'it was wiped': async (played) => {
    const { house, scene } = played;
    await wipeApproved(played, 'stolen');
    await until(played, 'queued', ({ wipe }) => wipe.state === 'queued');
    await house.move(scene.serial, { do: 'online', place: 'cafe' });
    await house.advance(60_000);
    await untilAsked(played, 'propose: close as wiped');
  },

  'it was written off': async (played) => {
    await contained(played);
    await played.house.decide(played.scene.workflowId, writeOff, {});
    await until(played, 'listening', ({ listening }) => listening !== undefined);
  },

  'the settings have changed since it was lost': (played) =>
    contained(played, { rules: (rules) => ({ ...rules, whenUserHasOtherDevices: 'ask' }) }),
};

async function report(
  { house, scene }: Played,
  { kind = 'stolen', rules = (usual) => usual }: { kind?: Answers['kind']; rules?: (usual: Rules) => Rules } = {},
): Promise<void> {
  await house.house.cases.handIn(
    {
      tenant,
      ticket: { source: 'servicenow', id: scene.ticket },
      deliveryId: randomUUID(),
      receivedAt: new Date().toISOString(),
      verified: true,
      device: { serial: scene.serial },
      user: scene.user,
      answers: { ...nothingKnown, kind },
      actor: person('rita (reporter)'),
    },
    rules(house.house.tenant(tenant).settings.rules),
  );
}

async function contained(played: Played, how?: Parameters<typeof report>[1]): Promise<void> {
  await report(played, how);
  await played.house.untilContained(played.scene.workflowId);
}

/** The vendor refuses every such call, and people were called about each step. */
async function stuck({ house, scene }: Played, steps: number, match: Fault['match']): Promise<void> {
  await house.fault({
    match,
    times: 'always',
    effect: { status: 403, body: { error: { message: 'Not permitted.' } } },
  });
  await report({ house, scene });
  await until({ house, scene }, `${steps} stuck`, (state) => calledFor(state, 'stuck') === steps);
  await house.clearFaults();
}

async function wipeAsked(played: Played, kind: 'lost' | 'stolen'): Promise<void> {
  await contained(played, { kind });
  await played.house.decide(played.scene.workflowId, requestWipe, { actor: person('ana'), override: 'It is gone.' });
  await until(played, 'prepared', ({ wipe }) => wipe.plan !== undefined);
}

async function wipeApproved(played: Played, kind: 'lost' | 'stolen'): Promise<void> {
  await wipeAsked(played, kind);
  await played.house.decide(played.scene.workflowId, approveWipe, { actor: person('ben') });
}

const until = ({ house, scene }: Played, what: string, ready: (state: CaseState) => boolean) =>
  house.untilCase(scene.workflowId, `${scene.serial} ${what}`, ready);
const untilAsked = (played: Played, id: string) =>
  until(played, `asks "${id}"`, ({ questions }) => questions.some((question) => question.id === id));

/** How many rungs have called about troubles of this kind. */
const calledFor = ({ escalation }: CaseState, kind: string) =>
  Object.values(escalation.rungs).filter(({ trouble, called }) => trouble.startsWith(kind) && called > 0).length;

const withLadder = (rules: Rules, change: (rung: Rung) => Rung): Rules => ({
  ...rules,
  escalation: { ...rules.escalation, ladder: rules.escalation.ladder.map(change) },
});
