/**
 * Does the namespace have our search attributes? Nothing is registered here.
 * @module
 */
import { isGrpcServiceError, type Client, type Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { Finding } from '../playbook/prerequisites';
import { caseAttributes } from '../workflows/search-attributes';

const { IndexedValueType } = temporal.api.enums.v1;

const answerWithinMs = 5_000;

/** @throws what gRPC throws: the caller says what that means. */
export async function lookAtSearchAttributes(
  { operatorService }: Pick<Connection, 'operatorService'>,
  namespace: string,
): Promise<Finding> {
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const wrong = Object.values(caseAttributes).filter(
    ({ name, type }) => customAttributes[name] !== IndexedValueType[`INDEXED_VALUE_TYPE_${type}`],
  );
  if (wrong.length === 0) return { is: 'well', says: `Namespace ${namespace} has them all.` };
  const names = wrong.map(({ name, type }) => `${name} (${type})`).join(', ');
  return {
    is: 'lacking',
    says: `Namespace ${namespace} lacks ${names}, or has them of another type: \`lost-device setup\` adds them.`,
  };
}

/** The same over a client that others use as well. What the server does not answer says nothing about them. */
export async function askForSearchAttributes({ connection, options }: Client): Promise<Finding> {
  try {
    return await connection.withDeadline(Date.now() + answerWithinMs, () =>
      lookAtSearchAttributes(connection, options.namespace),
    );
  } catch (error) {
    if (!isGrpcServiceError(error)) throw error;
    return { is: 'not looked at', says: `Temporal did not say (${error.details}).` };
  }
}
