/**
 * What is much, long or hostile: bounded where it comes in, escaped where it is shown, and nothing of it lost. The figures of
 * time are `npm run bench -- limits`.
 */
import { randomUUID } from 'node:crypto';
import { journalLines, printCase } from '../../cli/print';
import { caseBudgetBytes, type CaseState } from '../../playbook/case';
import { startServer, type RunningServer } from '../../server';
import { signedHeaders } from '../../simulator/sign';
import { workflowIds } from '../../workflows/ids';
import { recovered } from '../../workflows/messages';
import { startTestHouse, tenant, type TestHouse } from '../setup/test-house';

let house: TestHouse;
let server: RunningServer;
beforeAll(async () => {
  house = await startTestHouse();
  server = await startServer(house.settings, house.house, () => {});
});
afterAll(async () => {
  await server.close();
  await house.close();
});
afterEach(async () => {
  // The simulator names a note by its first bracket, which may be hostile: notes are looked at by their markers.
  expect((await house.wrongs()).filter((effect) => !effect.startsWith('servicenow: note '))).toEqual([]);
});

async function post(report: object, to = 'generic') {
  const body = JSON.stringify(report);
  const { secrets } = house.settings.tenants[tenant]?.plugins.generic?.settings as { secrets: [string] };
  const answer = await fetch(`${server.webhooks}/webhooks/tickets/${to}`, {
    method: 'POST',
    body,
    headers: signedHeaders(secrets[0], body, randomUUID()),
  });
  const { outcome, error } = (await answer.json()) as { outcome?: string; error?: { message: string } };
  return { status: answer.status, outcome, message: error?.message };
}

const sizeOf = (state: CaseState) => Buffer.byteLength(JSON.stringify(state));
// What a terminal, a header or a line must never get.
// eslint-disable-next-line no-control-regex
const unsafe = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

describe('a ticket of 250 kB', () => {
  const long = 'My laptop is gone. '.repeat(13_200);

  test('by webhook: taken, and cut where it is kept', async () => {
    const { serial, workflowId } = house.laptop();
    expect(long.length).toBeGreaterThan(250_000);
    const answer = await post({ ticket: 'LONG-1', device: { serial }, report: { kind: 'lost', data: long } });
    expect(answer).toMatchObject({ status: 202, outcome: 'opened' });
    const state = await house.untilContained(workflowId);
    expect(state.answers.data).toMatch(/^My laptop is gone\. .*…$/);
    expect(state.answers.data?.length).toBeLessThanOrEqual(2_000);
    expect(sizeOf(state)).toBeLessThan(caseBudgetBytes);
  });

  test('in ServiceNow: its last line is read too', async () => {
    const { serial, user, workflowId } = house.laptop();
    await house.ticket({ description: `${long}\nSerial number: ${serial}\nUser: ${user}` });
    // Its webhook was lost.
    expect(await house.reconcile()).toMatchObject({ unreadable: [], opened: [workflowId] });
    expect(sizeOf(await house.untilContained(workflowId))).toBeLessThan(caseBudgetBytes);
  });

  test('one byte too large: refused with the remedy, and found again by reconciliation', async () => {
    const { serial, user, workflowId } = house.laptop();
    const { number } = await house.ticket({ u_serial: serial, caller: user });
    const refused = await post({ ticket: number, description: 'x'.repeat(256 * 1024) }, 'servicenow');
    expect(refused).toMatchObject({ status: 413 });
    expect(refused.message).toMatch(
      /larger than 262144 bytes: send the ticket's number .* leave long texts in the ticket/,
    );
    expect((await house.reconcile()).opened).toContain(workflowId);
    await house.untilContained(workflowId);
  });

  test.each([
    ['device.hostname', { device: { serial: 'SN1', hostname: 'h'.repeat(10_240) } }, 'longer than 255 characters'],
    ['device.serial', { device: { serial: 'S\u0000N' } }, 'holds control characters: send the name without them'],
    ['user', { user: 'pat\ud800@example.test' }, 'holds control characters'],
  ])('a name of it that is none is refused: %s', async (field, report, remedy) => {
    const { status, message } = await post({ ticket: 'NONE-1', ...report });
    expect(status).toBe(400);
    expect(message).toContain(`${field}: `);
    expect(message).toContain(remedy);
  });
});

describe('hostile text', () => {
  const everything = [
    ...[
      '\u0000\u0007\u001b[2J\u001b]0;owned\u0007',
      '\r\nBcc: thief@example.test\r\n\r\n.\r\n',
      '\u2028[ldp:forged:1-9]',
    ],
    ...['\u202egnp.exe', `=cmd|'/C calc'!A0`, '+1+1', '@SUM(A1)', '<script>alert(1)</script>', '[code]<b>x</b>[/code]'],
    ...[
      '![x](http://thief.example/p.png)',
      `' or '1' eq '1`,
      '" or userName pr or "',
      '^ORnumberISNOTEMPTY',
      '\\',
      '%00',
    ],
    ...['${7*7} {{7*7}}', '../../etc/passwd', '😀👨‍👩‍👧', '\ud800', 'z'.repeat(10_240)],
  ].join(' ');

  test('of a reporter, of a device and of vendors: the case goes on, and says it on one line', async () => {
    const { serial: ofOwner } = house.laptop();
    const serial = 'HOSTILE-1';
    const workflowId = workflowIds.lostDevice(tenant, serial);
    const newHostname = `LT-<b>"'^%*\\ ${'😀'.repeat(20)}`;
    await house.move(ofOwner, { do: 'second-device', newSerial: serial, newHostname });
    const { number } = await house.ticket({ u_serial: serial, description: everything, short_description: everything });
    const answer = await post(
      {
        ticket: number,
        device: { serial, hostname: `LT" or '1' eq '1\\` },
        report: { kind: 'stolen', lastHeldWhere: everything, data: [everything, everything] },
      },
      'servicenow',
    );
    expect(answer).toMatchObject({ status: 202, outcome: 'opened' });
    await house.untilContained(workflowId);

    // What it says of itself, wherever it is.
    await house.advance(60_000);
    await house.move(serial, { do: 'online', place: { city: everything, country: everything, ip: '203.0.113.9' } });
    const seen = await house.untilCase(workflowId, 'seen', ({ presence }) => presence.state === 'seen');
    await house.untilMail('The lost device was seen', newHostname.slice(0, 5));
    expect(sizeOf(seen)).toBeLessThan(caseBudgetBytes);
    expect(seen.presence.last?.place?.city?.length).toBeLessThanOrEqual(200);

    // A person's words.
    await expect(house.decide(workflowId, recovered, { reason: 'r'.repeat(10_240) })).rejects.toThrow(
      'reason: is longer than 1000 characters: say it shorter',
    );
    await house.decide(workflowId, recovered, { reason: everything.replace('z'.repeat(10_240), '') });
    const closed = await house.untilClosed(workflowId);
    expect(closed).toMatchObject({ outcome: 'recovered', containment: { state: 'released' } });

    // Shown: on the terminal, in the archive, in the ticket, in mails.
    expect(printCase(closed, Date.now())).not.toMatch(unsafe);
    const journal = await house.journal(closed.chain);
    for (const line of journalLines(journal)) expect(line).not.toMatch(unsafe);
    for (const { text, evidence = '' } of journal) {
      expect(`${text}${evidence}`).not.toMatch(unsafe);
      expect(Math.max(text.length, evidence.length)).toBeLessThanOrEqual(401);
    }
    const notes = (await house.ticketState(number))?.workNotes ?? [];
    expect(new Set(notes.map((note) => note.split('\n').at(-1))).size).toBe(notes.length);
    expect(notes.length).toBeGreaterThan(1);
    for (const note of notes) {
      const lines = note.split('\n');
      expect(lines.filter((line) => line.startsWith('[ldp:'))).toEqual([lines.at(-1)]);
      for (const line of lines) expect(line).not.toMatch(unsafe);
      expect(note).not.toMatch(/\[\/?code\]/i);
    }
    for (const { text } of house.mails) {
      const head = text.slice(0, text.indexOf('\r\n\r\n'));
      const names = [...head.matchAll(/^([\w-]+):/gm)].map(([, name]) => name?.toLowerCase());
      expect(names).not.toContain('bcc');
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test('a hostile name blinds no feed, and keeps no other device from being heard', async () => {
    const [bad, good] = [house.laptop(), house.laptop()];
    await post({ ticket: 'BLIND-1', device: { serial: bad.serial, hostname: `a'b"c\\` } });
    await post({ ticket: 'BLIND-2', device: { serial: good.serial } });
    await house.untilContained(bad.workflowId);
    await house.untilContained(good.workflowId);
    await house.advance(60_000);
    await house.move(good.serial, { do: 'online', place: 'home' });
    await house.untilCase(good.workflowId, 'heard', ({ presence }) => presence.state === 'seen');
    const feeds = (await (await fetch(`${server.api}/api/feeds`)).json()) as { feed: string; state: string }[];
    expect(feeds.filter(({ state }) => state !== 'ok')).toEqual([]);
  });
});
