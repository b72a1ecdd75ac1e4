/**
 * The wipe in random worlds: what the vendor and the guard saw, whatever persons, workers and the network did.
 */
import fc from 'fast-check';
import { workflowFunctions } from './wipe-model-temporal';
import { Play, type Taken } from './wipe-model-play';
import { approvers, hour, worldsOf, type Arrival, type World } from './wipe-model-world';

jest.mock('@temporalio/workflow', () => ({
  ...jest.requireActual<object>('@temporalio/workflow'),
  ...jest.requireActual<{ workflowFunctions: typeof workflowFunctions }>('./wipe-model-temporal').workflowFunctions,
}));
jest.mock('@temporalio/activity', () => ({
  cancellationSignal: () => new AbortController().signal,
  log: { warn: () => undefined },
}));

/** An activity ends within two minutes, and its worker hears of it in seconds (milliseconds). */
const inFlightMs = 3 * 60_000;
const consentMs = 3 * 24 * hour;

/** What breaks each promise. */
const promises: Record<string, (played: Play) => unknown[]> = {
  'two persons, proven to be two, before every send': (played) =>
    played.vendor.arrivals.filter((arrival) => {
      const { request, approval } = consentsOf(played, arrival);
      if (request === undefined || approval === undefined) return true;
      const same = nameOf(request) === nameOf(approval);
      const proven = request.actor.authenticated && approval.actor.authenticated;
      return same || (arrival.real && !(proven && approvers.includes(approval.actor.person)));
    }),
  'a permit before every send, and for a while only': ({ vendor, words }) =>
    vendor.arrivals.filter(
      ({ permit, atMs }) =>
        !words.some(
          (word) =>
            word.permit.granted && word.request.id === permit && word.atMs <= atMs && word.atMs > atMs - inFlightMs,
        ),
    ),
  'no permit while frozen, and none in a dry run': ({ words }) =>
    words.filter(({ permit, frozen, dryRun }) => permit.granted && (frozen || dryRun)),
  'one send for one permit': ({ vendor: { arrivals } }) =>
    arrivals.filter((arrival, n) =>
      arrivals.some(
        (earlier, before) =>
          before < n &&
          earlier.permit === arrival.permit &&
          (earlier.as !== 'approval asked for' || earlier.code === arrival.code),
      ),
    ),
  'a second send only after a person said so': (played) =>
    played.vendor.arrivals.filter((arrival) => {
      const { attempt } = numbersOf(arrival);
      const { request } = consentsOf(played, arrival);
      const said = takenOf(played, arrival, 'answer').filter(
        ({ value, atMs }) => value === 'send again' && atMs >= (request?.atMs ?? 0),
      );
      return attempt - 1 > said.length;
    }),
  'nothing begins after somebody said how it ended': ({ vendor, endings }) =>
    vendor.arrivals.filter(({ serial, scheduledAtMs, atMs }) =>
      endings.some(
        (ending) =>
          ending.serial === serial &&
          ((scheduledAtMs > ending.fromMs && scheduledAtMs < ending.toMs) ||
            (ending.toMs === Infinity && atMs > ending.fromMs + inFlightMs)),
      ),
    ),
  'nothing begins after it was cancelled or refused': (played) =>
    played.vendor.arrivals.filter((arrival) => {
      const { request, next } = consentsOf(played, arrival);
      const no = [...takenOf(played, arrival, 'cancel'), ...takenOf(played, arrival, 'refuse')].filter(
        ({ atMs }) => atMs >= (request?.atMs ?? 0) && atMs <= (next?.atMs ?? Infinity),
      );
      const again = takenOf(played, arrival, 'answer').filter(({ value }) => value === 'send again');
      return no.some(
        ({ atMs }) =>
          (arrival.scheduledAtMs > atMs || arrival.atMs > atMs + inFlightMs) &&
          !again.some((yes) => yes.atMs >= atMs && yes.atMs <= arrival.scheduledAtMs),
      );
    }),
  'nothing begins when its consents are too old': (played) =>
    played.vendor.arrivals.filter((arrival) => {
      const endMs = (consentsOf(played, arrival).request?.atMs ?? 0) + consentMs;
      return arrival.scheduledAtMs > endMs || arrival.atMs > endMs + inFlightMs;
    }),
  'what was acknowledged is not sent again': ({ vendor }) =>
    vendor.arrivals.filter(({ as, wasWiped }) => as === 'effect' && wasWiped),
  'never over the cap': (played) => {
    const effects = played.vendor.arrivals.filter(({ as }) => as === 'effect').map(({ atMs }) => atMs);
    const { perHour, perDay } = played.world;
    return [
      { spanMs: hour, cap: perHour },
      { spanMs: 24 * hour, cap: perDay },
    ].filter(({ spanMs, cap }) =>
      effects.some((from) => effects.filter((at) => at >= from && at < from + spanMs - inFlightMs).length > cap),
    );
  },
  'its PIN is kept before it leaves': ({ vendor }) => vendor.arrivals.filter(({ pinKept }) => !pinKept),
  'it is never denied, never stands still, and comes to its end': ({ broken }) => broken,
};

const numbersOf = ({ permit }: Arrival) => {
  const [, number = '', attempt = ''] = /#wipe-(\d+)\.(\d+)$/.exec(permit) ?? [];
  return { number: Number(number), attempt: Number(attempt) };
};
const takenOf = ({ taken }: Play, { serial }: Arrival, what: Taken['what']) =>
  taken.filter((one) => one.serial === serial && one.what === what);

/** The request that a send belongs to, the one after it, and what was approved in between. */
function consentsOf(played: Play, arrival: Arrival) {
  const { number } = numbersOf(arrival);
  const requests = takenOf(played, arrival, 'request');
  const [request, next] = requests.slice(number - 1);
  const approval = takenOf(played, arrival, 'approve').find(
    ({ atMs }) => atMs >= (request?.atMs ?? 0) && atMs <= Math.min(arrival.atMs, next?.atMs ?? Infinity),
  );
  return { request, next, approval };
}

const nameOf = ({ actor: { person } }: Taken) => person.trim().toLowerCase();

async function playIn(world: World): Promise<Play> {
  const played = new Play(world, (nowMs) => jest.setSystemTime(nowMs));
  await played.play();
  for (const [promise, broken] of Object.entries(promises))
    expect({ [promise]: broken(played) }).toEqual({ [promise]: [] });
  return played;
}

describe('the wipe', () => {
  beforeAll(() => {
    jest.useFakeTimers({
      doNotFake: [
        'hrtime',
        'nextTick',
        'performance',
        'queueMicrotask',
        'setImmediate',
        'clearImmediate',
        'setInterval',
        'clearInterval',
        'setTimeout',
        'clearTimeout',
      ],
    });
  });
  afterAll(() => jest.useRealTimers());

  test('keeps its promises in 2,000 random worlds', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(worldsOf(fc.constantFrom(1, 1, 1, 2, 3)), async (world) => {
        const played = await playIn(world);
        for (const what of played.seen) seen.add(what);
        for (const { as } of played.vendor.arrivals) seen.add(as);
      }),
      { numRuns: Number(process.env['RUNS'] ?? 2000) },
    );
    console.log([...seen].sort());
  }, 300_000);
});
