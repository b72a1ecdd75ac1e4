/**
 * The cells of the fault matrix: every operation of every plugin, at every step that reaches it, with every fault. They are
 * made from the plugins' own lists and from what the journeys call when nothing goes wrong.
 * @module
 */
import { plugins } from '../../plugins';
import type { Operation } from '../../plugins/roles';
import type { CallRecord } from '../../simulator/calls';
import { fitsTemplate } from '../../simulator/faults';
import type { Journey } from './journeys';
import type { Aim, Told, TrialOptions, Trial } from './trial';
import { saysHowLong, vendorFaults, type VendorFault } from './vendor-faults';

export interface PluginOperation {
  plugin: string;
  operation: Operation;
}

/** Every call that any plugin can make over HTTP. */
export const allOperations: PluginOperation[] = Object.values(plugins).flatMap(({ name, operations }) =>
  operations.map((operation) => ({ plugin: name, operation })),
);

/** A journey without faults, and where it called what. */
export interface Course extends Told {
  journey: Journey;
  reached: (PluginOperation & { step: string; path: string })[];
}

/** One fault in one run of a journey; what came of it counts for all these operations. */
export interface Cell {
  course: Course;
  fault: VendorFault;
  operations: PluginOperation[];
  aim?: Aim;
}

export type Outcome = 'right' | 'asked a person' | 'doubled' | 'lost' | 'does not apply';

export interface Result {
  cell: Cell;
  outcome: Outcome;
  /** What was wrong, for people who mend it. */
  because?: string;
}

/** Begins a run in a new world. */
export type Begin = (options: Omit<TrialOptions, 'client' | 'tenant'> & Pick<Journey, 'tenant'>) => Promise<Trial>;

/** @throws Error when the journey does not end well by itself. */
export async function takeCourse(begin: Begin, journey: Journey): Promise<Course> {
  const trial = await begin(journey);
  try {
    await journey.run(trial);
    const { changes, findings, calls, steps } = await trial.told();
    if (trial.asked.length > 0) throw new Error(`It asked a person: ${trial.asked.join('; ')}`);
    const reached = new Map<string, Course['reached'][number]>();
    for (const { name, from, to } of steps)
      for (const call of calls.slice(from, to)) {
        const found = operationOf(call);
        if (found) reached.set(`${name} ${found.operation.name}`, { ...found, step: name, path: pathOf(call) });
      }
    return { journey, changes, findings, reached: [...reached.values()] };
  } catch (error) {
    throw new Error(`${journey.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    await trial.end();
  }
}

const pathOf = ({ path }: CallRecord) => path.replace(/\?.*$/s, '');

/** Where several templates fit, the one with the fewest blanks is meant. */
function operationOf(call: CallRecord): PluginOperation | undefined {
  const blanks = ({ operation }: PluginOperation) => operation.path.split('{').length;
  return allOperations
    .filter(
      ({ plugin, operation }) =>
        plugin === call.vendor && operation.method === call.method && fitsTemplate(operation.path, call.path),
    )
    .sort((one, other) => blanks(one) - blanks(other))[0];
}

/**
 * All cells. A step that several journeys take in the same way is tried in the first of them; how long a fault lasts decides
 * whether it is aimed at a step, at the whole journey, or is the vendors' own clock.
 */
export function cellsOf(courses: Course[]): Cell[] {
  const taken = new Set<string>();
  return courses.flatMap((course) => {
    const { journey } = course;
    const steps = course.reached.filter(({ step, operation }) => isFirst(taken, `${step}: ${operation.name}`));
    const whole = course.reached.filter(({ operation }) => isFirst(taken, `${journey.name}: ${operation.name}`));
    return vendorFaults.flatMap((fault): Cell[] => {
      const { lasts } = fault;
      if (typeof lasts === 'object') return [{ course, fault, operations: whole.map(withoutPlace) }];
      return (lasts === 'all along' ? whole : steps).flatMap((reached) => {
        const { plugin, operation, step, path } = reached;
        return fault.of(plugin, operation).map((effect) => ({
          course,
          fault,
          operations: [withoutPlace(reached)],
          aim: {
            ...effect,
            match: { method: operation.method, template: path },
            ...(lasts !== 'all along' && { step }),
            untilMended: lasts === 'until mended',
          },
        }));
      });
    });
  });
}

const withoutPlace = ({ plugin, operation }: PluginOperation) => ({ plugin, operation });

function isFirst(taken: Set<string>, name: string): boolean {
  const first = !taken.has(name);
  taken.add(name);
  return first;
}

/** Run the journey with this fault, and say what came of it. */
export async function runCell(begin: Begin, cell: Cell): Promise<Result> {
  const { course, fault, aim } = cell;
  const trial = await begin({
    ...course.journey,
    ...(typeof fault.lasts === 'object' && fault.lasts),
    ...(aim && { aim }),
  });
  try {
    await course.journey.run(trial);
    return { cell, ...judge(cell, await trial.told(), trial.asked, trial.unheeded) };
  } catch (error) {
    return { cell, outcome: 'lost', because: error instanceof Error ? error.message : String(error) };
  } finally {
    await trial.end();
  }
}

function judge(
  { course, fault, operations, aim }: Cell,
  told: Told & { hit: boolean },
  asked: string[],
  unheeded: string[],
): { outcome: Outcome; because?: string } {
  if (aim && !told.hit)
    return fault.lasts === 'all along'
      ? { outcome: 'does not apply' }
      : { outcome: 'lost', because: 'The fault never met its operation.' };
  const { mayDiffer } = course.journey;
  const counted = (changes: string[]) => changes.filter((change) => !mayDiffer?.changes.test(change)).sort();
  const [wanted, made] = [counted(course.changes), counted(told.changes)];
  const doubled = without(made, wanted);
  if (doubled.length > 0) return { outcome: 'doubled', because: doubled.join('; ') };
  const missing = [...without(wanted, made), ...without(course.findings, told.findings)];
  if (missing.length > 0)
    return { outcome: 'lost', because: `Not so: ${missing.join('; ')}. But: ${told.findings.join('; ')}` };
  const [first] = operations;
  if (fault.name === '429' && first && saysHowLong(first.plugin, first.operation) && unheeded.length > 0)
    return { outcome: 'lost', because: `How long to wait was not read: ${unheeded.join('; ')}` };
  return asked.length > 0 ? { outcome: 'asked a person', because: asked.join('; ') } : { outcome: 'right' };
}

/** What is left of the first list when each of the second took one away. */
function without(all: string[], taken: string[]): string[] {
  const left = [...all];
  for (const one of taken) if (left.includes(one)) left.splice(left.indexOf(one), 1);
  return left;
}
