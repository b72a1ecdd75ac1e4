/**
 * Does the namespace have our search attributes? Nothing is registered here.
 * @module
 */
import type { Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { Finding } from '../playbook/prerequisites';
import { caseAttributes } from '../workflows/search-attributes';

const { IndexedValueType } = temporal.api.enums.v1;

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
  return { is: 'lacking', says: `Namespace ${namespace} lacks ${names}, or has them of another type: add them.` };
}
