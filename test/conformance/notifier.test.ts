/** What every notifier must do, and mail against a real mail server. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { smtp } from '../../plugins/smtp';
import { messageId } from '../../plugins/smtp/notifier';
import type { Call } from '../../plugins/roles';

const call: Call = { signal: new AbortController().signal, now: '2026-11-22T22:00:00Z' };
const page = { key: 'ldp-run-1.overdue', subject: 'LT-0042 is overdue', text: 'Nothing was seen for 70 minutes.' };
const open: (SMTPServer | Server)[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
});

/** A mail server on loopback that keeps what it is sent. */
async function startSink(options: SMTPServerOptions = {}) {
  const mails: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    allowInsecureAuth: true,
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        mails.push(Buffer.concat(chunks).toString());
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.server.address() as AddressInfo).port, mails };
}

/** A server that follows SMTP up to the message and then does something else. */
async function startRude(afterMessage: 'close' | 'silent') {
  const server = createServer((socket) => {
    let inData = false;
    socket.on('error', () => {});
    socket.write('220 rude\r\n');
    socket.on('data', (chunk) => {
      const text = chunk.toString();
      if (inData) {
        if (afterMessage === 'close' && text.includes('\r\n.\r\n')) socket.destroy();
        return;
      }
      inData = text.startsWith('DATA');
      socket.write(inData ? '354 go on\r\n' : '250 fine\r\n');
    });
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port };
}

function notifierAt(port: number, more: Record<string, unknown> = {}) {
  const settings = { host: '127.0.0.1', port, from: 'ldp@example.test', to: ['soc@example.test'], ...more };
  const made = smtp.create('mail', smtp.settings.parse(settings));
  if (!made.notifier) throw new Error('the smtp plugin fills the notifier role');
  return { page: made.notifier.page.bind(made.notifier), test: made.test.bind(made) };
}

test('a page arrives once, with a fixed Message-ID and no invitation to answer', async () => {
  const { port, mails } = await startSink();
  await notifierAt(port).page(page, call);
  expect(mails).toHaveLength(1);
  expect(mails[0]).toContain('Message-ID: <ldp-run-1.overdue@example.test>');
  expect(mails[0]).toContain('Auto-Submitted: auto-generated');
  expect(mails[0]).toContain('Subject: LT-0042 is overdue');
  expect(mails[0]).toContain('Nothing was seen for 70 minutes.');
});

test('a page to somebody goes to nobody else, and is a mail of its own', async () => {
  const { port, mails } = await startSink();
  const { page: send } = notifierAt(port);
  await send(page, call);
  for (const to of ['ana@example.test', 'bob@example.test']) await send({ ...page, to }, call);
  // A long header goes on in the next line.
  const headers = (name: string) => mails.map((mail) => new RegExp(`^${name}:\\s+(\\S+)\\r$`, 'm').exec(mail)?.[1]);
  expect(headers('To')).toEqual(['soc@example.test', 'ana@example.test', 'bob@example.test']);
  expect(new Set(headers('Message-ID')).size).toBe(3);
  await send({ ...page, to: 'ana@example.test' }, call);
  expect(headers('Message-ID')[3]).toBe(headers('Message-ID')[1]);
});

test.each(['ana', 'ana@example.test, thief@example.test', 'ana@example.test\r\nBcc: thief@example.test'])(
  'a page to %j is refused, and no mail goes out',
  async (to) => {
    const { port, mails } = await startSink();
    await expect(notifierAt(port).page({ ...page, to }, call)).rejects.toMatchObject({ code: 'LDP_REFUSED' });
    expect(mails).toEqual([]);
  },
);

test('keys that need cleaning stay apart from each other', () => {
  expect(messageId('a:b', 'x@example.test')).not.toBe(messageId('a/b', 'x@example.test'));
  expect(messageId('a>\r\nBcc: thief@example.test', 'x@example.test')).toMatch(/^<[A-Za-z0-9._-]+@example\.test>$/);
});

test('no header can be smuggled in through the subject', async () => {
  const { port, mails } = await startSink();
  await notifierAt(port).page({ ...page, subject: 'lost\r\nBcc: thief@example.test\r\n\r\nbody' }, call);
  const headers = (mails[0] ?? '').split('\r\n\r\n')[0] ?? '';
  expect(headers).toContain('Subject: lost Bcc: thief@example.test body');
  expect(headers).not.toMatch(/^Bcc:/m);
});

const answer = (responseCode: number) => Object.assign(new Error('said the server'), { responseCode });

test.each([
  ['4xx to the reader', { onRcptTo: (_a, _s, done) => done(answer(451)) }, 'VendorUnavailable', 'LDP_SERVER_ERROR'],
  ['5xx to the reader', { onRcptTo: (_a, _s, done) => done(answer(550)) }, 'VendorRefused', 'LDP_REFUSED'],
  ['4xx to the message', { onData: refuseMessage(452) }, 'VendorUnavailable', 'LDP_SERVER_ERROR'],
  ['5xx to the message', { onData: refuseMessage(552) }, 'VendorRefused', 'LDP_REFUSED'],
] satisfies [string, SMTPServerOptions, string, string][])('%s', async (_, options, name, code) => {
  const { port } = await startSink(options);
  await expect(notifierAt(port).page(page, call)).rejects.toMatchObject({ name, code });
});

function refuseMessage(responseCode: number): NonNullable<SMTPServerOptions['onData']> {
  return (stream, _session, done) => {
    stream.resume();
    stream.on('end', () => done(answer(responseCode)));
  };
}

test('a wrong password is LDP_NOT_AUTHENTICATED, and is in no message', async () => {
  const { port } = await startSink({ authOptional: false, onAuth: (_auth, _session, done) => done(answer(535)) });
  const notifier = notifierAt(port, { user: 'ldp', password: 'hunter2' });
  const refused = notifier.page(page, call);
  await expect(refused).rejects.toMatchObject({ name: 'VendorRefused', code: 'LDP_NOT_AUTHENTICATED' });
  await expect(refused).rejects.not.toThrow(/hunter2/);
  expect(await notifier.test(call)).toEqual([expect.objectContaining({ ok: false })]);
});

test('nobody there is LDP_UNREACHABLE', async () => {
  const { port } = await startSink();
  const server = open.pop();
  await new Promise<void>((resolve) => server?.close(() => resolve()));
  await expect(notifierAt(port).page(page, call)).rejects.toMatchObject({ code: 'LDP_UNREACHABLE' });
});

test('a silent server is LDP_UNREACHABLE', async () => {
  const server = createServer((socket) => socket.on('error', () => {}));
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await expect(notifierAt(port, { timeoutMs: 200 }).page(page, call)).rejects.toMatchObject({
    code: 'LDP_UNREACHABLE',
  });
});

test.each(['close', 'silent'] as const)('an answer lost after the message (%s) is unknown', async (how) => {
  const { port } = await startRude(how);
  const paged = notifierAt(port, { timeoutMs: 300 }).page(page, call);
  await expect(paged).rejects.toMatchObject({ name: 'OutcomeUnknown', code: 'LDP_OUTCOME_UNKNOWN' });
});

test('a cancelled page ends at once with its own reason', async () => {
  const { port } = await startRude('silent');
  const controller = new AbortController();
  const reason = new Error('cancelled');
  setTimeout(() => controller.abort(reason), 50);
  await expect(notifierAt(port).page(page, { ...call, signal: controller.signal })).rejects.toBe(reason);
});

test('the test lets itself in and sends nothing', async () => {
  const { port, mails } = await startSink();
  expect(await notifierAt(port).test(call)).toEqual([expect.objectContaining({ ok: true })]);
  expect(mails).toEqual([]);
});

test.each([
  [{ to: [] }, 'to'],
  [{ from: 'nobody' }, 'from'],
  [{ user: 'ldp' }, 'password'],
  [{ host: 'mail.example.test', user: 'a', password: 'b', allowPlainText: true }, 'allowPlainText'],
])('settings %j are refused', (wrong, field) => {
  const settings = { host: '127.0.0.1', from: 'ldp@example.test', to: ['soc@example.test'], ...wrong };
  expect(() => smtp.settings.parse(settings)).toThrow(new RegExp(`"${field}"`));
});
