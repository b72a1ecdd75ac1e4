/**
 * The playbook in somebody's own Worker: a plugin of Temporal's SDK. Our own `worker.ts` is made with it as well.
 *
 * It brings the activities, how values are written down, and all that runs beside the worker. What it cannot bring are
 * the workflows, because the SDK takes them from one module only: re-export ours there, in one line:
 *
 *     export * from 'lost-device-playbook/workflows';
 *
 * `examples/own-worker` is a whole project.
 * @module
 */
import { readFileSync } from 'node:fs';
import type { ClientOptions } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { SimplePlugin } from '@temporalio/plugin';
import {
  Worker,
  type ActivityInterceptorsFactory,
  type BundleOptions,
  type NativeConnectionOptions,
  type WorkerOptions,
} from '@temporalio/worker';
import { createActivities } from './activities';
import type { House } from './activities/house';
import { activityInterceptors } from './activities/interceptors';
import { closeHouse, openHouse } from './open-house';
import type { Settings } from './playbook/settings';
import { BadInput } from './plugins/errors';
import { startStandingWork } from './standing-work';
import { prepareNamespace } from './temporal/namespace';
import { dataConverterOf, openClient } from './temporal/open-client';
import { activityPrefix } from './workflows/activity-names';
import { taskQueues } from './workflows/ids';
import { askAgain } from './workflows/messages';

export type { Settings } from './playbook/settings';
export { loadSettings } from './settings/load';
export { connectTemporal } from './temporal/connect';

/** The task queue of the playbook: cases are started on it, so a worker with the plugin takes it. */
export const taskQueue = taskQueues.main;

/**
 * Give it to `Worker.create`, to `new Client` and to `bundleWorkflowCode`, never to a connection; one for each worker.
 *
 * - **Worker**: our activities beside your own, which keep their names and are left alone; our data converter, so that
 *   everything in this worker is encrypted where the settings name a keyring; and a shutdown that waits for the longest
 *   vendor call, unless you set `shutdownGraceTime`. The worker needs a connection, our {@link taskQueue} and the namespace
 *   of the settings.
 * - **While the worker runs**, all that runs without a case: the plugin registers the search attributes, starts the
 *   watches of the fleet and the schedules of reconciliation, and takes the watches' own task queue with a worker of its
 *   own, over the same connection. When one of the two workers ends, so does the other. Nothing else is needed but the
 *   process that takes webhooks, and `lost-device` for people.
 * - **Client**: our data converter.
 * - **Bundler**: what must be in the workflows' bundle: our interceptors, and the failure converter of the encryption.
 */
export class LostDevicePlugin extends SimplePlugin {
  /** Resolves once the worker runs, and all that runs beside it. Never rejects: `worker.run()` says why it did not. */
  readonly started: Promise<void>;
  private readonly dataConverter: DataConverter;
  private tellStarted: () => void = () => undefined;
  private house: House | undefined;
  private activities: Record<string, unknown> | undefined;

  /**
   * @param settings Of {@link loadSettings}.
   * @param sharedHouse What the activities work with. Default: one of the plugin's own, closed when the worker has ended. A house
   * that is given is closed by whoever opened it.
   */
  constructor(
    private readonly settings: Settings,
    private readonly sharedHouse?: House,
  ) {
    const dataConverter = sharedHouse?.client.options.dataConverter ?? dataConverterOf(settings);
    super({
      name: 'lost-device-playbook.LostDevicePlugin',
      dataConverter,
      workerInterceptors: { activity: [ofOurs], workflowModules: [require.resolve('./workflows/interceptors')] },
    });
    this.dataConverter = dataConverter;
    this.started = new Promise((resolve) => (this.tellStarted = resolve));
  }

  /** @throws BadInput LDP_BAD_INPUT when the options cannot go together with the playbook. */
  override configureWorker(options: WorkerOptions): WorkerOptions {
    const { connection, namespace = 'default', dataConverter, workflowBundle } = options;
    if (this.activities) refuse('This plugin has a worker already: make one plugin for each worker');
    if (connection === undefined) refuse('The worker has no connection: make one, and give it to Worker.create');
    if (options.taskQueue !== taskQueue)
      refuse(`The worker's task queue is ${options.taskQueue}, and cases wait on ${taskQueue}: give it that one`);
    if (namespace !== this.settings.temporal.namespace)
      refuse(
        `The worker's namespace is ${namespace}, and the settings' ${this.settings.temporal.namespace}: make them the same`,
      );
    this.refuseOther(dataConverter);
    const bundle = workflowBundle && codeOf(workflowBundle);
    if (bundle?.includes(askAgain) === false)
      refuse(
        'The bundle of the workflows lacks our interceptors, so that a question or a decision could stop a case for ' +
          'good: give this plugin to bundleWorkflowCode',
      );
    if (this.dataConverter.failureConverterPath && bundle && !encodesFailures(bundle))
      refuse(
        'The bundle of the workflows has no failure converter, so that messages of failures would lie in clear: give this ' +
          'plugin to bundleWorkflowCode',
      );
    this.house = this.sharedHouse ?? openHouse(this.settings, openClient(this.settings, connection), false);
    this.activities = createActivities(this.house);
    refuseClash(Object.keys(this.activities).filter((name) => name in (options.activities ?? {})));
    return super.configureWorker({
      shutdownGraceTime,
      ...options,
      activities: { ...options.activities, ...this.activities },
    });
  }

  override async runWorker(worker: Worker, next: (worker: Worker) => Promise<void>): Promise<void> {
    const { house, activities = {} } = this;
    if (house === undefined) throw new Error('The plugin was not given to Worker.create.');
    try {
      // A plugin after this one overwrites in silence.
      refuseClash(Object.keys(activities).filter((name) => worker.options.activities.get(name) !== activities[name]));
      await runTogether(worker, next(worker), () => this.startBeside(worker, house));
    } finally {
      if (house !== this.sharedHouse) await closeHouse(house);
    }
  }

  /** The namespace made ready, what always runs there, and the watches' own worker. */
  private async startBeside({ connection }: Worker, house: House): Promise<RunningBeside> {
    if (connection === undefined) throw new Error('The worker has no connection.');
    const { namespace, keepClosedMs } = this.settings.temporal;
    await prepareNamespace(connection, namespace, keepClosedMs);
    await startStandingWork(house);
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: taskQueues.watch,
      activities: this.activities ?? {},
      interceptors: { activity: [activityInterceptors] },
      dataConverter: this.dataConverter,
      maxConcurrentActivityTaskExecutions: 200,
      maxHeartbeatThrottleInterval: '500ms',
      // A watch goes on elsewhere from its watermark.
      shutdownGraceTime: '1 second',
    });
    const ended = worker.run();
    this.tellStarted();
    return { worker, ended };
  }

  /** @throws BadInput LDP_BAD_INPUT when the client has a data converter of its own. */
  override configureClient(options: ClientOptions): ClientOptions {
    this.refuseOther(options.dataConverter);
    return super.configureClient(options);
  }

  override configureBundler(options: BundleOptions): BundleOptions {
    const { failureConverterPath } = this.dataConverter;
    return { ...super.configureBundler(options), ...(failureConverterPath && { failureConverterPath }) };
  }

  /** @throws BadInput LDP_BAD_INPUT always: the worker of the watches would get the plugin a second time. */
  override configureNativeConnection(_options: NativeConnectionOptions): NativeConnectionOptions {
    return refuse('A connection does not take this plugin: give it to the worker and to the client');
  }

  /** What one writes down, all must read: the intake and the command line too, which know our converter only. */
  private refuseOther(dataConverter: DataConverter | undefined): void {
    if (dataConverter !== undefined && dataConverter !== this.dataConverter)
      refuse(
        'There is a data converter already, and nothing else of the playbook could read what it writes: leave it out. To ' +
          'encrypt, name a keyring in the settings (`lost-device keys new`)',
      );
  }
}

/** Somebody's own activities heartbeat and fail as they were written. */
const ofOurs: ActivityInterceptorsFactory = (context) =>
  context.info.activityType.startsWith(activityPrefix) ? activityInterceptors(context) : {};

/** A shutdown waits for the longest vendor call rather than leaving its outcome unknown. */
const shutdownGraceTime = '35 seconds';

interface RunningBeside {
  worker: Worker;
  ended: Promise<void>;
}

/**
 * Neither runs without the other.
 * @param main of `worker`, which runs already.
 * @throws what ended the first of them that did not end by itself.
 */
async function runTogether(worker: Worker, main: Promise<void>, start: () => Promise<RunningBeside>): Promise<void> {
  const stop = (one: Worker) => {
    if (one.getState() === 'RUNNING') one.shutdown();
  };
  const beside = start().then(async (other) => {
    const stopOther = () => stop(other.worker);
    void main.then(stopOther, stopOther);
    await other.ended;
  });
  beside.catch(() => stop(worker));
  const ends = await Promise.allSettled([beside, main]);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

function codeOf(bundle: NonNullable<WorkerOptions['workflowBundle']>): string {
  return 'code' in bundle ? bundle.code : readFileSync(bundle.codePath, 'utf8');
}

/** The bundle has a failure converter that puts messages into payloads. The SDK's own code has no such words. */
const encodesFailures = (bundle: string) => bundle.includes('encodeCommonAttributes: true');

function refuseClash(names: string[]): void {
  if (names.length > 0) refuse(`Other activities have the names of ours (${names.join(', ')}): name them otherwise`);
}

function refuse(message: string): never {
  throw new BadInput('LDP_BAD_INPUT', `${message}.`);
}
