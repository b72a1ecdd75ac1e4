/**
 * ServiceNow: incidents, security incidents or a table of your own as the ticket desk.
 * @module
 */
import { tried } from '../connection-test';
import type { VendorClient } from '../http';
import { anyAnswer, clockOf, lacking, letIn, mayCall, probed, readable } from '../prerequisites';
import type { Call, Plugin, ProductPrerequisite } from '../roles';
import { servicenowSettings, type ServicenowSettings } from './settings';
import { createTableApi, operations, rows, textOf } from './table-api';
import { createTicketDesk } from './ticket-desk';

/** `plugin: servicenow`. */
export const servicenow: Plugin<ServicenowSettings> = {
  name: 'servicenow',
  title: 'ServiceNow',
  roles: ['ticketDesk'],
  settings: servicenowSettings,
  operations: Object.values(operations),
  agentHosts: [],
  create(instanceName, settings) {
    const api = createTableApi(settings);
    return {
      ticketDesk: createTicketDesk(instanceName, settings, api),
      prerequisites: () => prerequisitesOf(api, settings),
      test: (call) =>
        Promise.all([
          tried(`table ${settings.table}`, () => readTable(api, settings, call)),
          tried('work notes', () => readNotes(api, call)),
          tried('resolution code', () => readCloseCode(api, settings, call)),
        ]),
      close: async () => {},
    };
  },
};

/** ServiceNow leaves out columns that do not exist or that we may not read, without a word. */
async function readTable(api: VendorClient, settings: ServicenowSettings, call: Call) {
  const columns = [...new Set(Object.values(settings.fields))].filter((column) => column !== undefined);
  const { body } = await api.request(operations.listTickets, {
    call,
    params: { table: settings.table },
    query: {
      sysparm_query: settings.lostDeviceQuery,
      sysparm_fields: ['number', ...columns].join(','),
      sysparm_limit: 20,
      sysparm_exclude_reference_link: true,
    },
    schema: rows,
  });
  const tickets = body.result;
  if (tickets.length === 0) {
    return { detail: 'We are let in. There is no ticket about a lost device yet, so the columns could not be tried.' };
  }
  const missing = columns.filter((column) => !tickets.some((ticket) => column in ticket));
  return missing.length > 0
    ? { remedy: `${missing.join(', ')}: no such column, or not readable. Correct fields, or grant the right to read.` }
    : { detail: 'We are let in, and every column can be read.' };
}

async function readNotes(api: VendorClient, call: Call) {
  await api.request(operations.findNotes, {
    call,
    query: { sysparm_query: 'element=work_notes', sysparm_fields: 'sys_id', sysparm_limit: 1 },
    schema: rows,
  });
  return { detail: 'Notes can be looked for, so none is written twice.' };
}

async function readCloseCode(api: VendorClient, { table, closeCode }: ServicenowSettings, call: Call) {
  const { body } = await api.request(operations.listChoices, {
    call,
    query: {
      sysparm_query: `name=${table}^element=close_code`,
      sysparm_fields: 'value,label,inactive',
      sysparm_limit: 200,
    },
    schema: rows,
  });
  const codes = body.result.filter((each) => textOf(each, 'inactive') !== 'true').map((each) => textOf(each, 'value'));
  if (codes.length === 0) return { detail: `No choices of ${table} can be read: ${closeCode} is taken as it is.` };
  return codes.includes(closeCode)
    ? { detail: `${closeCode} is one of the choices.` }
    : { remedy: `${closeCode} is none of the choices. Set closeCode to one of: ${codes.join(', ')}.` };
}

/** What must be so at ServiceNow. Nothing is changed. */
function prerequisitesOf(api: VendorClient, settings: ServicenowSettings): ProductPrerequisite[] {
  const account = 'User Administration > the account';
  const after = 'servicenow-account';
  const { table } = settings;
  const read = (call: Call, accept: number[] = []) =>
    api.request(operations.listTickets, {
      call,
      accept,
      params: { table },
      query: { sysparm_limit: 1, sysparm_fields: 'number' },
    });
  const tested = (found: { detail: string } | { remedy: string }) =>
    'remedy' in found ? lacking(found.remedy) : { is: 'well' as const, says: found.detail };
  return [
    readable(
      {
        id: after,
        title: 'ServiceNow takes our account',
        neededFor: 'Without it no ticket is read, and none is told anything.',
        setAt: `${account}: password or OAuth client`,
      },
      (call) => letIn(() => read(call)),
    ),
    readable(
      {
        id: 'servicenow-clock',
        title: 'Its clock and ours agree',
        neededFor: 'A signed webhook that looks too old is refused.',
        setAt: 'The clock of this machine (NTP)',
        after,
      },
      async (call) => clockOf(await read(call, anyAnswer)),
    ),
    readable(
      {
        id: 'servicenow-tickets-read',
        title: `We may read ${table}, with every column of the settings`,
        neededFor: 'A ticket that cannot be read opens no case.',
        setAt: `${account} > Roles: ${operations.listTickets.permission}`,
        after,
      },
      async (call) => tested(await readTable(api, settings, call)),
    ),
    probed(
      {
        id: 'servicenow-tickets-write',
        title: `We may write ${table}`,
        neededFor: 'Without it what the playbook does stands in no ticket.',
        setAt: `${account} > Roles: ${operations.updateTicket.permission}`,
        after,
      },
      (call) =>
        mayCall(() =>
          api.request(operations.updateTicket, { call, params: { table, sysId: '0'.repeat(32) }, json: {} }),
        ),
    ),
    readable(
      {
        id: 'servicenow-notes-read',
        title: 'We may look for notes',
        neededFor: 'A note that cannot be found again would be written twice.',
        setAt: `${account} > Roles: ${operations.findNotes.permission}`,
        after,
      },
      async (call) => tested(await readNotes(api, call)),
    ),
    readable(
      {
        id: 'servicenow-resolution-code',
        title: `"${settings.closeCode}" is a resolution code`,
        neededFor: 'A ticket cannot be resolved with a code that is none.',
        setAt: 'closeCode in the settings, or System Definition > Choice Lists: close_code',
        after,
      },
      async (call) => tested(await readCloseCode(api, settings, call)),
    ),
  ];
}
