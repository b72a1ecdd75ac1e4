/**
 * The workflows as one file: for the package, for the tests, and for the budget of its size.
 * @module
 */
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/**
 * Bundles `workflows/index.ts`; takes one to two seconds.
 * @param kind `encrypted`: with the failure converter, which the SDK does not add to a bundle by itself.
 */
export async function bundleWorkflows(kind: 'clear' | 'encrypted' = 'clear'): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(__dirname, '..', 'workflows', 'index.ts'),
    ...(kind === 'encrypted' && {
      failureConverterPath: path.join(__dirname, '..', 'temporal', 'failure-converter.ts'),
    }),
    logger: new DefaultLogger('WARN'),
  });
  return code;
}
