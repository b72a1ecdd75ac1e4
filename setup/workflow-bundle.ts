/**
 * The workflows as one file: for the package, for the tests, and for the budget of its size.
 * @module
 */
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const workflows = path.join(__dirname, '..', 'workflows');

/**
 * Bundles the workflows with what a worker's own bundling adds by the plugin; takes one to two seconds.
 * @param kind `encrypted`: with the failure converter, which the SDK does not add to a bundle by itself.
 * @param workflowsPath Other workflows than ours.
 */
export async function bundleWorkflows(
  kind: 'clear' | 'encrypted' = 'clear',
  workflowsPath = path.join(workflows, 'index.ts'),
): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [path.join(workflows, 'interceptors.ts')],
    ...(kind === 'encrypted' && {
      failureConverterPath: path.join(__dirname, '..', 'temporal', 'failure-converter.ts'),
    }),
    logger: new DefaultLogger('WARN'),
  });
  return code;
}
