/** A step of our own. The playbook leaves it alone. */
import { ApplicationFailure } from '@temporalio/activity';

/** Answers the number of the order. */
export async function orderLaptop(user: string): Promise<string> {
  if (!user.includes('@')) throw ApplicationFailure.nonRetryable(`Nobody delivers to ${user}`);
  return `order for ${user}`;
}
