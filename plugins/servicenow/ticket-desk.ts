/**
 * ServiceNow as a ticket desk. Tickets are named by their number; a sys_id is understood too.
 * @module
 */
import { BadInput, VendorRefused } from '../errors';
import type { VendorClient } from '../http';
import { onOneLine, vendorName } from '../../playbook/plain-text';
import { readReportBody } from '../report-body';
import type { Call, Ticket, TicketDesk } from '../roles';
import { proveWebhook } from '../standard-webhooks';
import { readLines, understand, type LossWords } from './loss-words';
import type { ServicenowSettings } from './settings';
import { operations, queryValue, rows, textOf, updated, type Row } from './table-api';

/** How many tickets are asked for at once. With descriptions of 250 kB each, the answer is still one that we take. */
const pageSize = 100;
/** No list that is read here has more pages than this: a vendor that goes round in circles must not keep us. */
const mostPages = 200;

export function createTicketDesk(source: string, settings: ServicenowSettings, api: VendorClient): TicketDesk {
  const { table, lostDeviceQuery, states, webhookSecrets } = settings;
  const columns = ['sys_id', 'number', 'state', 'active', 'description', ...Object.values(settings.fields)];

  async function listRows(query: string, limit: number, offset: number, call: Call) {
    return api.request(operations.listTickets, {
      call,
      params: { table },
      query: {
        sysparm_query: query,
        sysparm_fields: [...new Set(columns)].join(','),
        sysparm_limit: limit,
        sysparm_offset: offset,
        sysparm_exclude_reference_link: true,
      },
      schema: rows,
    });
  }

  async function findRow(id: string, call: Call, extra = ''): Promise<Row | undefined> {
    if (!isTicketId(id)) return undefined;
    const column = /^[0-9a-f]{32}$/i.test(id) ? 'sys_id' : 'number';
    const { body } = await listRows(`${column}=${queryValue(id)}${extra}`, 1, 0, call);
    return body.result[0];
  }

  async function requireRow(id: string, call: Call): Promise<Row> {
    const found = await findRow(id, call);
    if (found) return found;
    throw new VendorRefused('LDP_NOT_FOUND', `servicenow: there is no ticket ${onOneLine(id, 100)}`, {
      operation: `servicenow ${operations.listTickets.name}`,
    });
  }

  function ticketOf(found: Row, aboutLostDevice: boolean): Ticket {
    const sysId = textOf(found, 'sys_id');
    const fromColumns = readColumns(found, settings.fields);
    const fromLines = readLines(textOf(found, 'description'));
    const words: LossWords = { ...fromLines, ...fromColumns };
    // The caller is who reports. A user named in the description is more to the point.
    const user = vendorName(fromLines.user ?? fromColumns.user);
    const [serial, hostname] = [vendorName(words.serial), vendorName(words.hostname)];
    return {
      ref: { source, id: textOf(found, 'number') || sysId, url: `${settings.url}/${table}.do?sys_id=${sysId}` },
      open: textOf(found, 'active') === 'true' && !isOver(textOf(found, 'state')),
      aboutLostDevice,
      report: {
        device: { ...(serial && { serial }), ...(hostname && { hostname }) },
        ...(user && { user }),
        answers: understand(words),
      },
    };
  }

  const isOver = (state: string) => state === states.resolved || states.closed.includes(state);

  return {
    ...(webhookSecrets.length > 0 && {
      /** A hint: the signature proves who sent it, and triage reads the ticket itself. */
      async receive(webhook, nowMs) {
        const report = readReportBody(proveWebhook(webhook, webhookSecrets, nowMs), source);
        if (!isTicketId(report.ticket.id)) {
          throw new BadInput('LDP_BAD_INPUT', 'ticket: is neither a number nor a sys_id', { field: 'ticket' });
        }
        return report;
      },
    }),

    async readTicket(id, call) {
      const about = await findRow(id, call, `^${lostDeviceQuery}`);
      if (about) return ticketOf(about, true);
      const other = await findRow(id, call);
      return other && ticketOf(other, false);
    },

    /** `work_notes` only: `comments` are shown to the caller, and a thief may be reading there. */
    async addInternalNote(id, { marker, text }, call) {
      const sysId = textOf(await requireRow(id, call), 'sys_id');
      const { body } = await api.request(operations.findNotes, {
        call,
        query: {
          sysparm_query: `element_id=${sysId}^element=work_notes^valueLIKE${queryValue(withoutMarkup(marker))}`,
          sysparm_fields: 'sys_id',
          sysparm_limit: 1,
        },
        schema: rows,
      });
      if (body.result.length > 0) return 'already there';
      await update(sysId, { work_notes: withoutMarkup(text) }, call);
      return 'added';
    },

    /** What the case has to say at its end is in its work notes: resolution notes may be shown to the caller. */
    async setState(id, state, _closeNotes, call) {
      const found = await requireRow(id, call);
      const now = textOf(found, 'state');
      // A reading of before the resolution would leave it resolved. To write a state that is there already changes nothing.
      const stays =
        state === 'in progress again'
          ? states.closed.includes(now)
          : isOver(now) || (state === 'in progress' && now === states.inProgress);
      if (stays) return;
      await update(
        textOf(found, 'sys_id'),
        state !== 'resolved'
          ? { state: states.inProgress }
          : { state: states.resolved, close_code: settings.closeCode, close_notes: settings.closeNotes },
        call,
      );
    },

    async listOpenLostDeviceTickets(call) {
      // By number, so that a ticket closed between two pages moves as little as it can; a repeat is dropped.
      const query = `${lostDeviceQuery}^active=true^ORDERBYnumber`;
      const found = new Map<string, Ticket>();
      for (let page = 0; page < mostPages; page += 1) {
        const { body, headers } = await listRows(query, pageSize, page * pageSize, call);
        for (const each of body.result) {
          const ticket = ticketOf(each, true);
          if (ticket.open) found.set(ticket.ref.id, ticket);
        }
        // A page can be short because some of its rows are hidden from us: the link says whether there is another.
        const { link } = headers;
        const more = link === undefined ? body.result.length === pageSize : String(link).includes('rel="next"');
        if (!more) break;
      }
      return [...found.values()];
    },
  };

  async function update(sysId: string, changes: Record<string, string>, call: Call): Promise<void> {
    await api.request(operations.updateTicket, {
      call,
      params: { table, sysId },
      query: { sysparm_fields: 'sys_id' },
      json: changes,
      schema: updated,
    });
  }
}

/** A number like INC0010042, or a sys_id. Nothing else gets into a query. */
function isTicketId(id: string): boolean {
  return /^[A-Za-z0-9_-]{1,40}$/.test(id);
}

function readColumns(found: Row, fields: ServicenowSettings['fields']): LossWords {
  const filled = Object.entries(fields).map(
    ([word, column]) => [word, onOneLine(textOf(found, column ?? ''))] as const,
  );
  return Object.fromEntries(filled.filter(([, text]) => text !== ''));
}

/** ServiceNow renders what stands between [code] tags as HTML. A note quotes what reporters wrote, so they are broken. */
function withoutMarkup(text: string): string {
  return text.replace(/\[(\/?)code\]/gi, '[ $1code ]');
}
