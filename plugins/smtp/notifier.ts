/**
 * Pages as mail. The connection is driven step by step, because only so is it known whether the message had already
 * left when an answer was lost: nodemailer's `sendMail` reports every lost connection alike.
 * @module
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { OutcomeUnknown, VendorRefused, VendorUnavailable, type PlaybookError } from '../errors';
import { onOneLine } from '../../playbook/plain-text';
import type { Call, Notifier, Page } from '../roles';
import { isLoopback } from '../setting-fields';
import { address, type SmtpSettings } from './settings';

const operation = 'smtp mail.send';

/** @throws The three vendor errors, by what the server said and by whether the message had left. */
export function createMailNotifier(settings: SmtpSettings): Notifier {
  return {
    async page(page, call) {
      const { from } = settings;
      const to = readersOf(page, settings);
      const message = await composeMail(page, { from, to }, call.now);
      await withConnection(settings, call, (connection) => sendOnce(connection, { from, to }, message));
    },
  };
}

/** Connect, greet and sign in, and send nothing. */
export async function tryMailServer(settings: SmtpSettings, call: Call): Promise<void> {
  await withConnection(settings, call, async () => {});
}

/** The one that the page names, or those of the settings. */
function readersOf({ to }: Page, settings: SmtpSettings): string[] {
  if (to === undefined) return settings.to;
  if (address.safeParse(to).success) return [to];
  throw new VendorRefused('LDP_REFUSED', `${operation}: the reader of the page is not a mail address`, { operation });
}

type Envelope = Pick<SmtpSettings, 'from' | 'to'>;

/** A page as a whole message. The subject is one line whatever it was, so no header can be smuggled in. */
function composeMail(page: Page, { from, to }: Envelope, now: string): Promise<Buffer> {
  const mail = new MailComposer({
    from,
    to,
    subject: onOneLine(page.subject, 300),
    text: page.text,
    // Two persons who read one mailbox get two mails.
    messageId: messageId(page.to === undefined ? page.key : `${page.key} ${page.to}`, from),
    date: new Date(now),
    // RFC 3834: no holiday answer comes back to a machine.
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return mail.compile().build();
}

/** Same key, same Message-ID, so that receivers drop a repeat. Where the key has to be cleaned, its hash keeps it apart. */
export function messageId(key: string, from: string): string {
  const clean = key.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 120);
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 16);
  return `<${clean === key ? key : `${clean}.${hash}`}@${from.slice(from.lastIndexOf('@') + 1)}>`;
}

/** Messages go out once: `left` turns true when the server has said that it listens, and the first byte is read. */
async function sendOnce(connection: SMTPConnection, envelope: Envelope, message: Buffer): Promise<void> {
  let left = false;
  const stream = new Readable({
    read() {
      left = true;
      this.push(message);
      this.push(null);
    },
  });
  await new Promise<void>((resolve, reject) => {
    const fail = (error: MailFailure) => reject(asPlaybookError(error, left));
    connection.once('error', fail);
    connection.send(envelope, stream, (error) => (error ? fail(error) : resolve()));
  });
}

/** Open a connection, use it, and close it whatever happened. The caller's cancellation cuts it at once. */
async function withConnection(
  settings: SmtpSettings,
  call: Call,
  use: (connection: SMTPConnection) => Promise<void>,
): Promise<void> {
  call.signal.throwIfAborted();
  const connection = new SMTPConnection({
    host: settings.host,
    port: settings.port,
    secure: settings.secure,
    requireTLS: !settings.secure && !settings.allowPlainText && !isLoopback(settings.host),
    connectionTimeout: settings.timeoutMs,
    greetingTimeout: settings.timeoutMs,
    socketTimeout: settings.timeoutMs,
    dnsTimeout: settings.timeoutMs,
    socketCloseTimeout: 0,
  });
  // Errors are taken by whoever waits; one that comes after that must not end the process.
  connection.on('error', () => {});
  let cancel = () => {};
  const cancelled = new Promise<never>((_, reject) => {
    cancel = () => reject(call.signal.reason as Error);
    call.signal.addEventListener('abort', cancel);
  });
  try {
    await Promise.race([cancelled, connectAndUse(connection, settings, use)]);
  } finally {
    call.signal.removeEventListener('abort', cancel);
    connection.close();
  }
}

async function connectAndUse(
  connection: SMTPConnection,
  settings: SmtpSettings,
  use: (connection: SMTPConnection) => Promise<void>,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: MailFailure) => reject(asPlaybookError(error, false));
    connection.once('error', fail);
    connection.connect((error) => (error ? fail(error) : resolve()));
  });
  const { user, password } = settings;
  if (user !== undefined && password !== undefined) {
    await new Promise<void>((resolve, reject) => {
      const fail = (error: MailFailure) => reject(asPlaybookError(error, false));
      connection.once('error', fail);
      connection.login({ credentials: { user, pass: password } }, (error) => (error ? fail(error) : resolve()));
    });
  }
  await use(connection);
}

/** What nodemailer tells of a failure. */
interface MailFailure extends Error {
  code?: string | undefined;
  responseCode?: number | undefined;
}

/** @param left The message was already on its way: without an answer nobody knows whether it was taken. */
function asPlaybookError(failure: MailFailure, left: boolean): PlaybookError {
  const status = failure.responseCode;
  const details = { operation, ...(status && { status }) };
  // The server's own words can quote what was sent: only its number is repeated.
  const said = status ? `the mail server answered ${status}` : `no answer (${failure.code ?? failure.name})`;
  if (failure.code === 'EAUTH') {
    return status && status < 500
      ? new VendorUnavailable('LDP_SERVER_ERROR', `${operation}: ${said} to the sign-in`, details)
      : new VendorRefused('LDP_NOT_AUTHENTICATED', `${operation}: ${said} to the sign-in`, details);
  }
  if (status && status >= 500) return new VendorRefused('LDP_REFUSED', `${operation}: ${said}`, details);
  if (status && status >= 400) return new VendorUnavailable('LDP_SERVER_ERROR', `${operation}: ${said}`, details);
  if (left)
    return new OutcomeUnknown('LDP_OUTCOME_UNKNOWN', `${operation}: ${said} after the message had left`, details);
  return new VendorUnavailable('LDP_UNREACHABLE', `${operation}: ${said}`, details);
}
