/**
 * The floor: one plain script that makes the same calls in the same order with undici, and nothing else. It keeps no
 * state, survives nothing, and shows what the vendors' round trips alone cost.
 * @module
 */
import { Agent, request } from 'undici';

const agent = new Agent({ keepAliveTimeout: 30_000 });
const token = 'sim-netskope-v2-token';
const group = 'Lost-Stolen Devices';

export interface FloorInput {
  netskope: string;
  serial: string;
  user: string;
  /** Learned once, as the plugin does. */
  groupId: string;
}

async function call<T>(method: 'GET' | 'POST' | 'PATCH', url: string, body?: unknown): Promise<T> {
  const answer = await request(url, {
    dispatcher: agent,
    method,
    headers: { 'netskope-api-token': token, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.statusCode} ${text}`);
  return (text ? JSON.parse(text) : undefined) as T;
}

interface Users {
  data: { accounts: { scimId: string; parentGroups: string[] }[] }[];
}

/** The group's id, looked up once. */
export async function learnGroup(netskope: string): Promise<string> {
  const filter = encodeURIComponent(`displayName eq "${group}"`);
  const found = await call<{ Resources: { id: string }[] }>('GET', `${netskope}/api/v2/scim/Groups?filter=${filter}`);
  const id = found.Resources[0]?.id;
  if (id === undefined) throw new Error('The simulator has no lost group');
  return id;
}

/** From the report to the user seen in the lost group. Resolves with how long it took (milliseconds). */
export async function containPlainly({ netskope, serial, user, groupId }: FloorInput): Promise<number> {
  const status = (query: string) =>
    call(`GET`, `${netskope}/api/v2/events/datasearch/clientstatus?limit=1000&query=${encodeURIComponent(query)}`);
  const readUser = () =>
    call<Users>('POST', `${netskope}/api/v2/users/getusers`, {
      query: { filter: { and: [{ emails: { eq: user } }] }, paging: { offset: 0, limit: 100 } },
    });
  const startedMs = performance.now();
  await status(`host_info.serial_number eq "${serial}"`);
  const [users] = await Promise.all([readUser(), status(`user_info.username eq "${user}"`)]);
  const id = users.data[0]?.accounts[0]?.scimId;
  if (id === undefined) throw new Error(`The simulator does not know ${user}`);
  await call('PATCH', `${netskope}/api/v2/scim/Groups/${groupId}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'add', path: 'members', value: [{ value: id }] }],
  });
  const after = await readUser();
  if (!after.data[0]?.accounts[0]?.parentGroups.includes(group))
    throw new Error(`${user} is not seen in the lost group`);
  return performance.now() - startedMs;
}
