/**
 * What the SDK says, on standard error: warnings and worse. One of its warnings is our design, the watches have a worker
 * of their own without workflows, so it is left out.
 * @module
 */
import { DefaultLogger } from '@temporalio/worker';

export function createLogger(): DefaultLogger {
  return new DefaultLogger('WARN', ({ level, message, meta }) => {
    if (message.startsWith('No workflows registered')) return;
    const { error, workflowId, feed } = (meta ?? {}) as { error?: unknown; workflowId?: string; feed?: string };
    const about = [workflowId, feed, error instanceof Error ? error.message : undefined].filter(Boolean).join(', ');
    process.stderr.write(`${level} ${message}${about ? ` (${about})` : ''}\n`);
  });
}
