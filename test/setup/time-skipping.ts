/**
 * The server of a test run, and its time. (What skips time is the product's own: the drill does so too.)
 * @module
 */
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime } from '@temporalio/worker';

export { fastForward, skipTime, skipTimeFromStart } from '../../temporal/time-skipping';

Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
});

/** The server that the global set-up started, for one test file. */
export interface TestServer {
  client: Client;
  /** For `Worker.create`, beside a task queue and activities. */
  worker: { connection: NativeConnection; namespace: string; workflowBundle: { codePath: string } };
  close(): Promise<void>;
}

/** Connects to the server of this test run. Close it in `afterAll`, after the workers. */
export async function connectTestServer(): Promise<TestServer> {
  const address = given('LOST_DEVICE_TEST_TEMPORAL');
  const namespace = given('LOST_DEVICE_TEST_NAMESPACE');
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  return {
    client: new Client({ connection, namespace }),
    worker: {
      connection: native,
      namespace,
      workflowBundle: { codePath: given('LOST_DEVICE_WORKFLOW_BUNDLE') },
    },
    async close() {
      await connection.close();
      await native.close();
    },
  };
}

function given(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run this test through jest.config.js.`);
  return value;
}
