/** What every ticket desk that can be read must do, by ServiceNow against the simulator. */
import { Webhook } from 'standardwebhooks';
import { servicenow } from '../../plugins/servicenow';
import type { PluginInstance, TicketDesk } from '../../plugins/roles';
import {
  call,
  expectItsOwnReason,
  everyFault,
  startVendorWorld,
  type Exercise,
  type VendorWorld,
} from './vendor-world';

const secret = `whsec_${Buffer.from('a secret of 24 bytes !!!').toString('base64')}`;
const note = { marker: '[ldp:chain-1:3]', text: '[ldp:chain-1:3] pat was moved to the lost group.' };

let world: VendorWorld;
let instance: PluginInstance;
let desk: Required<TicketDesk>;

interface State {
  servicenow: {
    tickets: {
      number: string;
      state: string;
      workNotes: string[];
      comments: string[];
      fields: Record<string, string>;
    }[];
  };
}

function create(more: Record<string, unknown> = {}): PluginInstance {
  const settings = {
    url: world.url,
    user: 'sim-servicenow',
    password: 'sim-servicenow-password',
    webhookSecrets: [secret],
    timeoutMs: 300,
    ...more,
  };
  return servicenow.create('desk', servicenow.settings.parse(settings));
}

function deskOf(made: PluginInstance): Required<TicketDesk> {
  const { ticketDesk } = made;
  if (!ticketDesk?.receive) throw new Error('the servicenow plugin fills the whole role');
  return ticketDesk as Required<TicketDesk>;
}

async function ticket(number: string) {
  const found = (await world.state<State>()).servicenow.tickets.find((one) => one.number === number);
  if (!found) throw new Error(`${number} is in the simulator`);
  return found;
}

beforeEach(async () => {
  world = await startVendorWorld();
  instance = create();
  desk = deskOf(instance);
});
afterEach(() => world.close());

describe('reading', () => {
  test('open tickets of 250 kB each are all listed, whatever their number', async () => {
    const description = 'My laptop is gone. '.repeat(13_200);
    const numbers: string[] = [];
    for (let n = 0; n < 150; n += 1) numbers.push((await world.ticket({ description })).number);
    const patient = deskOf(create({ timeoutMs: 30_000 }));
    const listed = await patient.listOpenLostDeviceTickets(call);
    expect(listed.map(({ ref }) => ref.id)).toEqual(expect.arrayContaining(numbers));
  });

  test('a ticket by number and by sys_id, with what its columns say', async () => {
    const { number, sys_id } = await world.ticket({ u_serial: 'SN0042', caller: 'pat' });
    const read = await desk.readTicket(number, call);
    expect(read).toMatchObject({
      ref: { source: 'desk', id: number, url: `${world.url}/incident.do?sys_id=${sys_id}` },
      open: true,
      aboutLostDevice: true,
      report: {
        device: { serial: 'SN0042' },
        user: 'pat@example.test',
        answers: { kind: 'unknown', reportedBy: 'pat@example.test' },
      },
    });
    expect(await desk.readTicket(sys_id, call)).toEqual(read);
  });

  test('lines of the description fill what no column holds; the user it names goes before the caller', async () => {
    const description = [
      'I am so sorry!',
      '- Serial Number: SN0050',
      'Computer name: LT-0042',
      'User: pat@example.test',
      'Lost or stolen? : Stolen from the car',
      'Last held: 2026-11-22 21:10',
      'Where = Café "Zum Bahnhof": table 4',
      'Power: was on',
      'Powered: off',
      'Locked: yes',
      'VIP: dunno',
      'Data: customer list\u202e, board papers',
    ].join('\r\n');
    const { number } = await world.ticket({ u_serial: 'SN0042', caller: 'sam', description });
    expect((await desk.readTicket(number, call))?.report).toEqual({
      device: { serial: 'SN0042', hostname: 'LT-0042' },
      user: 'pat@example.test',
      answers: {
        kind: 'stolen',
        reportedBy: 'sam@example.test',
        reporterIsOwner: 'unknown',
        lastHeldAt: '2026-11-22T21:10:00.000Z',
        lastHeldWhere: 'Café "Zum Bahnhof": table 4',
        powered: 'unknown',
        locked: 'yes',
        data: 'customer list , board papers',
        vip: 'unknown',
      },
    });
  });

  test('columns of a reference are followed', async () => {
    const { number } = await world.ticket({ cmdb_ci: 'SN0042', caller: 'pat' });
    const followed = deskOf(create({ fields: { serial: 'cmdb_ci.serial_number', hostname: 'cmdb_ci.name' } }));
    expect((await followed.readTicket(number, call))?.report.device).toEqual({ serial: 'SN0042', hostname: 'LT-0042' });
  });

  test('a ticket about something else is told apart, and one that is not there is undefined', async () => {
    const { number } = await world.ticket({ category: 'printer' });
    expect(await desk.readTicket(number, call)).toMatchObject({ aboutLostDevice: false });
    expect(await desk.readTicket('INC9999999', call)).toBeUndefined();
  });

  test.each(['INC1^ORnumber!=x', 'INC1^NQactive=true', 'javascript:gs.log()', 'INC1\n', ''])(
    'the id %j gets into no query',
    async (id) => {
      await world.ticket({ caller: 'pat' });
      expect(await desk.readTicket(id, call)).toBeUndefined();
      expect(await world.calls()).toEqual([]);
    },
  );

  test('open lost-device tickets are listed over all pages, the others are not', async () => {
    const open: string[] = [];
    for (let i = 0; i < 405; i += 1) open.push((await world.ticket({ caller: 'pat' })).number);
    await world.ticket({ category: 'printer' });
    const resolved = open.pop() ?? '';
    await desk.setState(resolved, 'resolved', 'Found again.', call);
    await world.clearCalls();
    const listed = await desk.listOpenLostDeviceTickets(call);
    expect(listed.map(({ ref }) => ref.id)).toEqual(open);
    expect(await world.calls()).toHaveLength(5);
  });
});

describe('writing', () => {
  test('a note is internal, and is written once', async () => {
    const { number } = await world.ticket({ caller: 'pat' });
    expect(await desk.addInternalNote(number, note, call)).toBe('added');
    expect(await desk.addInternalNote(number, note, call)).toBe('already there');
    expect(await ticket(number)).toMatchObject({ workNotes: [note.text], comments: [] });
  });

  test('a note whose answer was lost is found again', async () => {
    const { number } = await world.ticket({ caller: 'pat' });
    await world.fault({ match: { method: 'PATCH', path: '/api/now/table/' }, when: 'after', effect: { reset: true } });
    await expect(desk.addInternalNote(number, note, call)).rejects.toMatchObject({ name: 'OutcomeUnknown' });
    expect(await desk.addInternalNote(number, note, call)).toBe('already there');
    expect((await ticket(number)).workNotes).toHaveLength(1);
  });

  test('notes of another case and another step do not count', async () => {
    const { number } = await world.ticket({ caller: 'pat' });
    const other = await world.ticket({ caller: 'pat' });
    await desk.addInternalNote(other.number, note, call);
    await desk.addInternalNote(number, { marker: '[ldp:chain-1:31]', text: '[ldp:chain-1:31] later' }, call);
    expect(await desk.addInternalNote(number, note, call)).toBe('added');
  });

  test('what a reporter wrote cannot become HTML in a note', async () => {
    const { number } = await world.ticket({ caller: 'pat' });
    await desk.addInternalNote(number, { ...note, text: `${note.marker} [code]<script>x</script>[/CODE]` }, call);
    expect((await ticket(number)).workNotes[0]).not.toMatch(/\[\/?code\]/i);
  });

  test('a ticket is moved forward once, with its resolution, and never back', async () => {
    const { number } = await world.ticket({ caller: 'pat' });
    await desk.setState(number, 'in progress', '', call);
    await desk.setState(number, 'in progress', '', call);
    await desk.setState(number, 'resolved', 'Recovered at the café.', call);
    await desk.setState(number, 'resolved', 'Recovered at the café.', call);
    await desk.setState(number, 'in progress', '', call);
    const patches = (await world.calls()).filter(({ method }) => method === 'PATCH');
    expect(patches).toHaveLength(2);
    expect(await ticket(number)).toMatchObject({
      state: 'Resolved',
      fields: { close_code: 'Solution provided', close_notes: 'Closed by the security team.' },
    });
  });

  test('a resolved ticket is taken up again only where that is asked for, and a closed one never', async () => {
    const { number, sys_id } = await world.ticket({ caller: 'pat' });
    await desk.setState(number, 'resolved', '', call);
    await desk.setState(number, 'in progress again', '', call);
    await desk.setState(number, 'in progress again', '', call);
    expect((await world.changes()).filter((change) => change.includes(number))).toHaveLength(2);
    expect(await ticket(number)).toMatchObject({ state: 'In Progress' });

    const closed = await fetch(`${world.url}/api/now/table/incident/${sys_id}`, {
      method: 'PATCH',
      headers: { authorization: `Basic ${Buffer.from('sim-servicenow:sim-servicenow-password').toString('base64')}` },
      body: JSON.stringify({ state: '7', close_code: 'No resolution provided', close_notes: 'Closed.' }),
    });
    expect(closed.status).toBe(200);
    await desk.setState(number, 'in progress again', '', call);
    expect(await ticket(number)).toMatchObject({ state: 'Closed' });
  });

  test('nothing is written to a ticket that is not there', async () => {
    await expect(desk.addInternalNote('INC9999999', note, call)).rejects.toMatchObject({ code: 'LDP_NOT_FOUND' });
    await expect(desk.setState('INC9999999', 'resolved', 'x', call)).rejects.toMatchObject({ code: 'LDP_NOT_FOUND' });
  });

  test('a resolution that the data policy forbids is told in its words', async () => {
    const { number } = await world.ticket({ caller: 'pat' });
    await world.fault({
      match: { method: 'PATCH', path: '/api/now/' },
      effect: { status: 403, body: { error: { message: 'Operation Failed', detail: 'Data Policy Exception' } } },
    });
    await expect(desk.setState(number, 'resolved', '', call)).rejects.toMatchObject({
      code: 'LDP_NOT_PERMITTED',
      message: expect.stringContaining('Operation Failed'),
    });
  });
});

describe('receiving', () => {
  const nowMs = Date.parse(call.now);
  const send = (body: unknown, signedWith = secret) => {
    const text = JSON.stringify(body);
    const headers = {
      'webhook-id': 'sn_1',
      'webhook-timestamp': String(nowMs / 1000),
      'webhook-signature': new Webhook(signedWith).sign('sn_1', new Date(nowMs), text),
    };
    return desk.receive({ headers, body: Buffer.from(text) }, nowMs);
  };

  test('a signed hint names its ticket', async () => {
    expect(await send({ ticket: 'INC0010001' })).toMatchObject({
      ticket: { source: 'desk', id: 'INC0010001' },
      deliveryId: 'sn_1',
      verified: true,
      actor: { person: 'webhook:desk' },
    });
  });

  test('one that is not proven, and a ticket that is none, are refused', async () => {
    const other = `whsec_${Buffer.from('another secret, 24 bytes').toString('base64')}`;
    await expect(send({ ticket: 'INC1' }, other)).rejects.toMatchObject({ code: 'LDP_BAD_SIGNATURE' });
    await expect(send({ ticket: 'INC1^active=true' })).rejects.toMatchObject({ code: 'LDP_BAD_INPUT' });
  });

  test('without a secret nothing is received', () => {
    expect(create({ webhookSecrets: [] }).ticketDesk?.receive).toBeUndefined();
  });
});

describe('faults', () => {
  let number: string;
  const exercises: Record<string, Exercise> = {
    'table.list': { path: '/api/now/table/incident', run: () => desk.readTicket(number, call) },
    'table.update': { path: '/api/now/table/incident/', run: () => desk.addInternalNote(number, note, call) },
    'journal.list': { path: '/api/now/table/sys_journal_field', run: () => desk.addInternalNote(number, note, call) },
    'choices.list': { path: '/api/now/table/sys_choice', run: () => failedLine('resolution code') },
  };

  /** An operation that only the connection test makes: its failure is a line. */
  async function failedLine(what: string): Promise<unknown> {
    const line = (await instance.test(call)).find((one) => one.what === what);
    if (line?.ok !== false) return line;
    throw Object.assign(new Error(line.detail), { name: 'line' });
  }

  beforeEach(async () => {
    number = (await world.ticket({ caller: 'pat' })).number;
  });

  test.each(everyFault(servicenow.operations, exercises))('$title', async ({ operation, fault, exercise }) => {
    if (!exercise) throw new Error(`no exercise for ${operation.name}`);
    const { effect, when = 'before', times = 1 } = fault;
    await world.fault({ match: { method: operation.method, path: exercise.path }, effect, when, times });
    const failed = await exercise.run().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failed instanceof Error && failed.name === 'line') return;
    expect(failed).toMatchObject({ code: operation.changes ? fault.changes : fault.reads });
    expect(String(failed)).not.toContain('sim-servicenow');
  });

  test('the hourly limit is told with the moment at which it ends', async () => {
    await world.fault({
      match: { method: 'GET', path: '/api/now/' },
      effect: { status: 429, headers: { 'x-ratelimit-reset': String(Math.floor(Date.now() / 1000) + 60) } },
    });
    const failed = await desk.readTicket(number, call).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'LDP_RATE_LIMITED' });
    const { retryAfterMs } = (failed as { details: { retryAfterMs: number } }).details;
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(61_000);
  });

  test('a cancelled call ends with its own reason', () =>
    expectItsOwnReason(world, { method: 'GET', path: '/api/now/' }, (cancelled) => desk.readTicket(number, cancelled)));
});

describe('the connection test', () => {
  test('all is well', async () => {
    await world.ticket({ caller: 'pat' });
    expect((await instance.test(call)).map(({ what, ok }) => [what, ok])).toEqual([
      ['table incident', true],
      ['work notes', true],
      ['resolution code', true],
    ]);
    expect(await world.changes()).toEqual([]);
  });

  test('a column that is not there and a code that is no choice are named', async () => {
    await world.ticket({ caller: 'pat' });
    const lines = await create({ fields: { serial: 'u_nonesuch' }, closeCode: 'Solved (Permanently)' }).test(call);
    expect(lines).toEqual([
      expect.objectContaining({ ok: false, detail: expect.stringContaining('u_nonesuch') }),
      expect.objectContaining({ ok: true }),
      expect.objectContaining({ ok: false, detail: expect.stringContaining('Solution provided') }),
    ]);
  });

  test('a wrong password fails every line and is shown in none', async () => {
    const lines = await create({ password: 'wrong-password' }).test(call);
    expect(lines.map(({ ok }) => ok)).toEqual([false, false, false]);
    expect(JSON.stringify(lines)).not.toContain('wrong-password');
  });
});

test.each([
  [{ url: 'http://example.service-now.com' }, 'url'],
  [{ password: undefined }, 'password'],
  [{ oauth: { clientId: 'a', clientSecret: 'b' } }, 'user'],
  [{ lostDeviceQuery: 'category=a^NQactive=true' }, 'lostDeviceQuery'],
  [{ fields: { serial: 'serial^active' } }, 'fields'],
  [{ states: { resolved: 6 } }, 'states'],
])('settings %j are refused', (wrong, field) => {
  expect(() => create(wrong)).toThrow(new RegExp(`"${field}"`));
});
