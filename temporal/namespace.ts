/**
 * What the playbook needs in a Temporal namespace: its search attributes, and closed cases kept for long enough.
 * @module
 */
import { setTimeout } from 'node:timers/promises';
import { isGrpcServiceError, type Connection } from '@temporalio/client';
import { msToTs, tsToMs } from '@temporalio/common/lib/time';
import { temporal } from '@temporalio/proto';
import { caseAttributes } from '../workflows/search-attributes';

const { IndexedValueType } = temporal.api.enums.v1;
const dayMs = 24 * 60 * 60_000;
/** A server may look at its attributes only every few seconds. */
const usableWithinMs = 30_000;
/** gRPC: the caller may not, or the server has no such call (Temporal Cloud manages both by its own API). */
const notOurs = [7, 12];

/**
 * Registers the search attributes that are missing, waits until they can be used, and raises a shorter retention. Safe to repeat, and from several processes at once.
 * @param keepClosedMs For how long closed cases are kept at least (milliseconds).
 * @returns Commands that somebody else must run, where the server lets us not change the retention; none when all is ready.
 * @throws Error that names the attribute when one exists with another type, or, with the commands that add them, when the
 * server lets us not.
 */
export async function prepareNamespace(
  connection: Pick<Connection, 'operatorService' | 'workflowService'>,
  namespace: string,
  keepClosedMs = 90 * dayMs,
): Promise<string[]> {
  await registerAttributes(connection, namespace);
  return raiseRetention(connection, namespace, keepClosedMs);
}

async function registerAttributes(
  { operatorService, workflowService }: Pick<Connection, 'operatorService' | 'workflowService'>,
  namespace: string,
): Promise<void> {
  // The server takes a second registration with another type in silence and keeps the first: compare first.
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const missing: Record<string, temporal.api.enums.v1.IndexedValueType> = {};
  for (const { name, type } of Object.values(caseAttributes)) {
    const wanted = IndexedValueType[`INDEXED_VALUE_TYPE_${type}`];
    const present = customAttributes[name];
    if (present === undefined) missing[name] = wanted;
    else if (present !== wanted) {
      throw new Error(
        `Search attribute ${name} of namespace ${namespace} has the type ${IndexedValueType[present]}, and the playbook ` +
          `needs ${IndexedValueType[wanted]}. Remove it (temporal operator search-attribute remove) or use another namespace.`,
      );
    }
  }
  if (Object.keys(missing).length === 0) return;
  try {
    await operatorService.addSearchAttributes({ namespace, searchAttributes: missing });
  } catch (error) {
    if (!isGrpcServiceError(error) || !notOurs.includes(error.code)) throw error;
    throw new Error(
      [
        `Temporal does not let us add search attributes to namespace ${namespace}. Run this with an account that may:`,
        ...Object.keys(missing).map((name) => `  ${commandToAdd(name, namespace)}`),
      ].join('\n'),
      { cause: error },
    );
  }
  const query = Object.keys(missing)
    .map((name) => `${name} = 'none'`)
    .join(' OR ');
  for (const deadline = Date.now() + usableWithinMs; ; await setTimeout(50)) {
    try {
      await workflowService.countWorkflowExecutions({ namespace, query });
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

function commandToAdd(attribute: string, namespace: string): string {
  const list = Object.values(caseAttributes).find(({ name }) => name === attribute)?.type === 'KEYWORD_LIST';
  return `temporal operator search-attribute create --namespace ${namespace} --name ${attribute} --type ${list ? 'KeywordList' : 'Keyword'}`;
}

async function raiseRetention(
  { workflowService }: Pick<Connection, 'workflowService'>,
  namespace: string,
  retentionMs: number,
): Promise<string[]> {
  const { config } = await workflowService.describeNamespace({ namespace });
  if (tsToMs(config?.workflowExecutionRetentionTtl) >= retentionMs) return [];
  try {
    await workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: msToTs(retentionMs) },
    });
    return [];
  } catch (error) {
    // Where others run the server, they decide.
    if (!isGrpcServiceError(error) || !notOurs.includes(error.code)) throw error;
    return [
      `temporal operator namespace update --namespace ${namespace} --retention ${Math.ceil(retentionMs / dayMs)}d`,
    ];
  }
}
