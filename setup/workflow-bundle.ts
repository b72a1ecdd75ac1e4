/**
 * The workflows as one file: for the package, for the tests, and for the budget of its size.
 * @module
 */
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/** Bundles `workflows/index.ts`; takes one to two seconds. */
export async function bundleWorkflows(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(__dirname, '..', 'workflows', 'index.ts'),
    logger: new DefaultLogger('WARN'),
  });
  return code;
}
