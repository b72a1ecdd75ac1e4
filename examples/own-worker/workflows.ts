/** All workflows of this worker: the playbook's, in one line, and our own. */
import { proxyActivities } from '@temporalio/workflow';
import type * as activities from './activities';

export * from 'lost-device-playbook/workflows';

const { orderLaptop } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

export async function orderReplacement(user: string): Promise<string> {
  return orderLaptop(user);
}
