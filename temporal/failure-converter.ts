/**
 * How failures are written down where payloads are encrypted: message and stack trace go into a payload, which the codec
 * encrypts. The workflows run with it too, so it must be in their bundle; a failure's type stays readable.
 * @module
 */
import { DefaultFailureConverter } from '@temporalio/common';

/** The name under which Temporal looks for it. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
