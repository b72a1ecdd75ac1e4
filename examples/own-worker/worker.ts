/** A worker of our own, and the playbook in it. Ctrl-C stops both. */
import { NativeConnection, Worker } from '@temporalio/worker';
import { connectTemporal, loadSettings, LostDevicePlugin, taskQueue } from 'lost-device-playbook/plugin';
import * as activities from './activities';

async function main(): Promise<void> {
  const settings = await loadSettings(); // lost-device.yaml
  const connection = await connectTemporal(NativeConnection, settings);
  const worker = await Worker.create({
    connection,
    namespace: settings.temporal.namespace,
    taskQueue,
    workflowsPath: require.resolve('./workflows'),
    activities,
    plugins: [new LostDevicePlugin(settings)],
  });
  await worker.run();
  await connection.close();
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
