/**
 * The control routes: what happened, what shall go wrong, where the laptop is, what time it is. Documented in README.md;
 * other programs build on them.
 * @module
 */
import { z } from 'zod';
import type { Calls } from './calls';
import { type Faults, faultSchema } from './faults';
import { type Laptop, type Place, places, tamperings } from './laptop';
import { IdentitySync } from './netskope/identity-sync';
import type { Prerequisites } from './prerequisites';
import { tenantSchema, trapsSchema } from './switches';
import { jsonOf } from './vendor';
import type { World } from './world';

const placeSchema = z.union([
  z.enum(['office', 'home', 'cafe']),
  z.strictObject({
    city: z.string().optional(),
    region: z.string().optional(),
    country: z.string().optional(),
    ip: z.string().optional(),
    privateIp: z.string().optional(),
    latitude: z.number().optional(),
    longitude: z.number().optional(),
    isp: z.string().optional(),
  }),
]);

const ways = [...(Object.keys(tamperings) as (keyof typeof tamperings)[]), 'removed-from-group' as const];
const laptopSchema = z.discriminatedUnion('do', [
  z.strictObject({ serial: z.string(), do: z.literal('online'), place: placeSchema.optional() }),
  z.strictObject({ serial: z.string(), do: z.literal('offline'), how: z.literal('shutdown').optional() }),
  z.strictObject({ serial: z.string(), do: z.literal('move'), place: placeSchema }),
  z.strictObject({ serial: z.string(), do: z.literal('tamper'), how: z.enum(ways).default('user-disabled') }),
  z.strictObject({ serial: z.string(), do: z.literal('re-image') }),
  z.strictObject({ serial: z.string(), do: z.literal('enrol-again'), place: placeSchema.optional() }),
  z.strictObject({
    serial: z.string(),
    do: z.literal('sign-in'),
    ok: z.boolean().default(true),
    lateMs: z.number().nonnegative().default(0),
  }),
  z.strictObject({
    serial: z.string(),
    do: z.literal('second-device'),
    newSerial: z.string().optional(),
    newHostname: z.string().optional(),
    newUser: z.string().optional(),
  }),
  z.strictObject({ serial: z.string(), do: z.literal('rename-user'), newUser: z.email() }),
  z.strictObject({ serial: z.string(), do: z.literal('clock'), offMs: z.number() }),
  z.strictObject({
    serial: z.string(),
    do: z.enum(['tag-removed', 'delete-user', 'device-enabled-again', 'user-enabled-again', 'isolation-lifted']),
  }),
]);

const identitySyncSchema = z.strictObject({
  everyMs: z.number().min(1000),
  group: z.string().optional(),
  members: z.array(z.string()).default([]),
});

const intuneSchema = z.discriminatedUnion('do', [
  z.strictObject({ serial: z.string(), do: z.enum(['approve', 'reject', 'cancel-request', 'cancel-wipe', 'delete']) }),
  z.strictObject({
    serial: z.string(),
    do: z.literal('change'),
    owner: z.enum(['company', 'personal', 'unknown']).optional(),
    operatingSystem: z.string().optional(),
    supervised: z.boolean().optional(),
    encrypted: z.boolean().optional(),
  }),
]);

const clockSchema = z.union([
  z.strictObject({ now: z.iso.datetime({ offset: true }) }),
  z.strictObject({ advanceMs: z.number().nonnegative() }),
]);

const ticketSchema = z.strictObject({
  number: z.string().optional(),
  short_description: z.string().optional(),
  description: z.string().optional(),
  category: z.string().optional(),
  u_serial: z.string().optional(),
  cmdb_ci: z.string().optional(),
  caller: z.string().optional(),
});

const subscriptionSchema = z.strictObject({ url: z.url(), secret: z.string() });
const pagedSchema = z.strictObject({
  dedupKey: z.string(),
  do: z.enum(['acknowledge', 'resolve']),
  by: z.string(),
});

const tenantChanges = tenantSchema.partial().extend({ limits: tenantSchema.shape.limits.partial().optional() });

const prerequisiteSchema = z.strictObject({ id: z.string(), broken: z.boolean().default(true) });

/** An answer of a control route. */
interface ControlAnswer {
  status: number;
  body: unknown;
}

/** The request cannot be carried out; the message says why. */
class Refused extends Error {}

/** Make the control routes. The result answers one request. */
export function createControl(world: World, calls: Calls, faults: Faults, prerequisites: Prerequisites) {
  const routes: Record<string, (body: unknown) => unknown> = {
    'GET /control/calls': () => calls.all(),
    'DELETE /control/calls': () => calls.clear(),
    'GET /control/faults': () => faults.all(),
    'POST /control/faults': (body) => ({ id: faults.add(faultSchema.parse(body)) }),
    'DELETE /control/faults': () => faults.clear(),
    'GET /control/laptops': () => [...world.laptops.values()].map(laptopView),
    'POST /control/laptop': (body) => changeLaptop(world, laptopSchema.parse(body)),
    'GET /control/clock': () => clockView(world),
    'POST /control/clock': (body) => moveClock(world, clockSchema.parse(body)),
    'GET /control/traps': () => world.traps,
    'POST /control/traps': (body) => world.setTraps(trapsSchema.partial().parse(body)),
    'GET /control/tenant': () => world.tenant,
    'POST /control/tenant': (body) => {
      const { limits, ...changes } = tenantChanges.parse(body);
      world.tenant = {
        ...world.tenant,
        ...changes,
        limits: { ...world.tenant.limits, ...limits },
      } as typeof world.tenant;
      return world.tenant;
    },
    'POST /control/tickets': (body) => {
      const { number, sys_id } = world.tickets.open(ticketSchema.parse(body));
      return { number, sys_id };
    },
    'GET /control/pagerduty': () => world.pagerDuty.all,
    'POST /control/pagerduty/subscription': (body) => {
      world.pagerDuty.subscription = subscriptionSchema.parse(body);
    },
    'POST /control/pagerduty/incident': (body) => changeIncident(world, pagedSchema.parse(body)),
    'GET /control/identity-sync': () => identitySyncView(world),
    'POST /control/identity-sync': (body) => startIdentitySync(world, identitySyncSchema.parse(body)),
    'DELETE /control/identity-sync': () => stopIdentitySync(world),
    'GET /control/intune': () => intuneView(world),
    'POST /control/intune': (body) => changeIntune(world, intuneSchema.parse(body)),
    'GET /control/prerequisites': () => prerequisites.all(),
    'POST /control/prerequisites': (body) => {
      const { id, broken } = prerequisiteSchema.parse(body);
      if (!prerequisites.set(id, broken))
        throw new Refused(
          `${id} is not at a vendor of the simulator: it is broken in the settings, here, or by an attestation`,
        );
      return prerequisites.all();
    },
    'GET /control/state': () => stateView(world),
  };

  return async function answer(method: string, path: string, body: string): Promise<ControlAnswer> {
    const route = routes[`${method} ${path}`];
    if (!route) return { status: 404, body: { error: 'No such control route', routes: Object.keys(routes) } };
    try {
      return { status: 200, body: (await route(jsonOf(body))) ?? {} };
    } catch (error) {
      if (error instanceof z.ZodError) return { status: 400, body: { error: z.prettifyError(error) } };
      if (error instanceof Refused) return { status: 400, body: { error: error.message } };
      throw error;
    }
  };
}

function laptopView(laptop: Laptop) {
  const { serial, hostname, person, nsdeviceuid, oldNsdeviceuid, online, isolated, client, steeringConfig, place } =
    laptop;
  const { clockOffMs } = laptop;
  const userkey = person.userkey;
  return {
    serial,
    hostname,
    user: person.user,
    userkey,
    nsdeviceuid,
    oldNsdeviceuid,
    online,
    isolated,
    client,
    steeringConfig,
    clockOffMs,
    place,
  };
}

function placeOf(given: z.infer<typeof placeSchema>, laptop: Laptop): Place {
  if (typeof given === 'string') return places[given];
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...laptop.place, ...known };
}

function changeLaptop(world: World, asked: z.infer<typeof laptopSchema>) {
  const laptop = world.laptops.get(asked.serial);
  if (!laptop) throw new Refused(`There is no laptop ${asked.serial}`);
  switch (asked.do) {
    case 'online':
      laptop.goOnline(asked.place && placeOf(asked.place, laptop));
      break;
    case 'offline':
      laptop.goOffline(asked.how);
      break;
    case 'move':
      laptop.moveTo(placeOf(asked.place, laptop));
      break;
    case 'tamper':
      if (asked.how === 'removed-from-group') {
        // Whoever owns the group is where somebody does it; Entra carries it into Netskope by its cycle.
        if (world.traps.directoryOwnsGroup) {
          if (world.entra.isMember(laptop.person)) world.entra.setMember(laptop.person, false);
        } else world.netskope.groups.setMember(world.netskope.lostGroup, laptop.person, false);
      } else laptop.tamper(asked.how);
      break;
    case 're-image':
      laptop.reImage();
      break;
    case 'enrol-again':
      laptop.reImage();
      laptop.goOnline(asked.place && placeOf(asked.place, laptop));
      break;
    case 'sign-in':
      if (!laptop.canReach('entra')) throw new Refused(`${asked.serial} is off or isolated: nobody signs in at it`);
      world.entra.signIn(laptop, !asked.ok, asked.lateMs);
      break;
    case 'second-device': {
      const count = world.laptops.size;
      const serial = asked.newSerial ?? `SN9${count}`;
      if (world.laptops.has(serial)) throw new Refused(`There is a laptop ${serial} already`);
      const person = asked.newUser === undefined ? laptop.person : personNamed(world, asked.newUser);
      return laptopView(world.addLaptop(person, serial, asked.newHostname ?? `LT-9${count}`));
    }
    case 'clock':
      laptop.clockOffMs = asked.offMs;
      break;
    case 'rename-user':
      if (world.people.has(asked.newUser.toLowerCase())) throw new Refused(`There is a user ${asked.newUser} already`);
      world.rename(laptop.person, asked.newUser);
      break;
    case 'delete-user':
      world.deletePerson(laptop.person);
      break;
    case 'tag-removed':
      if (!world.netskope.tags.takeOff(laptop)) throw new Refused(`${asked.serial} has no tag`);
      break;
    case 'device-enabled-again': {
      const disabled = world.entra.devicesNamed(laptop.hostname).filter(({ enabled }) => !enabled);
      if (disabled.length === 0) throw new Refused(`No device object of ${laptop.hostname} is disabled`);
      for (const device of disabled) world.entra.setDeviceEnabled(device, true);
      break;
    }
    case 'user-enabled-again': {
      const user = world.entra.user(laptop.person.user);
      if (!user || world.entra.setUserEnabled(user, true) === null) {
        throw new Refused(`${laptop.person.user} is not disabled`);
      }
      break;
    }
    case 'isolation-lifted':
      if (world.crowdstrike.letOut(laptop) === undefined) throw new Refused(`${asked.serial} is not contained`);
      break;
  }
  return laptopView(laptop);
}

function personNamed(world: World, user: string) {
  const person = world.people.get(user.toLowerCase());
  if (!person) throw new Refused(`There is no user ${user}`);
  return person;
}

/** One job at a time: a new one takes the place of the last. */
function startIdentitySync(world: World, asked: z.infer<typeof identitySyncSchema>) {
  const { netskope } = world;
  const group = asked.group === undefined ? netskope.lostGroup : netskope.groups.named(asked.group);
  if (!group) throw new Refused(`There is no group ${asked.group}`);
  const members = new Set(asked.members.map((user) => personNamed(world, user)));
  stopIdentitySync(world);
  netskope.identitySync = new IdentitySync(world, asked.everyMs, group, members);
  return identitySyncView(world);
}

function stopIdentitySync({ netskope }: World): void {
  netskope.identitySync?.stop();
  delete netskope.identitySync;
}

/** Empty when no job runs. */
function identitySyncView({ netskope: { identitySync: job } }: World) {
  return job && { everyMs: job.everyMs, group: job.group.displayName, undone: job.undone };
}

/** As a person does it in PagerDuty; answers when the webhook was delivered. */
async function changeIncident(world: World, asked: z.infer<typeof pagedSchema>) {
  const incident = world.pagerDuty.newest(asked.dedupKey);
  if (!incident) throw new Refused(`There is no incident ${asked.dedupKey}`);
  const status = asked.do === 'resolve' ? 'resolved' : 'acknowledged';
  return { delivered: await world.pagerDuty.moveBy(incident, status, asked.by), incident };
}

/** As administrators and support do it in the portal, to the newest enrolment of a serial. */
function changeIntune(world: World, asked: z.infer<typeof intuneSchema>) {
  const { intune } = world;
  const device = [...intune.devices.values()].findLast(({ laptop }) => laptop.serial === asked.serial);
  if (!device) throw new Refused(`Intune has no device ${asked.serial}`);
  if (asked.do === 'change') {
    const { owner, operatingSystem, supervised, encrypted } = asked;
    device.owner = owner ?? device.owner;
    device.operatingSystem = operatingSystem ?? device.operatingSystem;
    device.supervised = supervised ?? device.supervised;
    device.encrypted = encrypted ?? device.encrypted;
  } else if (asked.do === 'delete') intune.delete(device);
  else if (asked.do === 'cancel-wipe') {
    if (!intune.cancel(device)) throw new Refused(`No wipe of ${asked.serial} waits`);
  } else {
    const request = intune.approvals.find((one) => one.device === device && one.status === 'needsApproval');
    if (!request) throw new Refused(`Nobody waits for an approval of ${asked.serial}`);
    request.status = ({ approve: 'approved', reject: 'rejected', 'cancel-request': 'cancelled' } as const)[asked.do];
  }
  return intuneView(world);
}

function intuneView(world: World) {
  const isoOf = (ms: number) => new Date(ms).toISOString();
  const { devices, approvals } = world.intune;
  return {
    devices: [...devices.values()].map(({ laptop, enrolledMs, lastSyncMs, actions, ...device }) => ({
      ...device,
      serial: laptop.serial,
      enrolledAt: isoOf(enrolledMs),
      lastSyncAt: isoOf(lastSyncMs),
      actions: actions.map(({ name, state, startedMs, asked }) => ({
        name,
        state,
        startedAt: isoOf(startedMs),
        asked,
      })),
    })),
    approvals: approvals.map(({ id, status, justification, device }) => ({
      id,
      status,
      justification,
      serial: device.laptop.serial,
    })),
  };
}

const clockView = (world: World) => ({ now: new Date(world.clock.now()).toISOString() });

function moveClock(world: World, asked: z.infer<typeof clockSchema>) {
  const now = world.clock.now();
  const target = 'now' in asked ? Date.parse(asked.now) : now + asked.advanceMs;
  // Two programs that set the same clock are never quite at one; going back by hours is a mistake.
  if (target < now - 60_000)
    throw new Refused(`It is ${new Date(now).toISOString()} already: the clock never goes back`);
  if (target > now) world.clock.moveTo(target);
  return clockView(world);
}

function stateView(world: World) {
  const { groups, tags } = world.netskope;
  const members = (group: typeof world.netskope.lostGroup) =>
    [...group.members.keys()].filter((person) => groups.isMember(group, person)).map((person) => person.user);
  return {
    now: clockView(world).now,
    netskope: {
      groups: Object.fromEntries([...groups.all.values()].map((group) => [group.displayName, members(group)])),
      tags: Object.fromEntries(tags.all.map((tag) => [tag.name, [...tag.devices.values()]])),
    },
    servicenow: { tickets: world.tickets.tickets() },
    entra: {
      groupMembers: [...world.people.values()].filter((person) => world.entra.isMember(person)).map((p) => p.user),
      users: [...world.entra.users.values()].map((user) => ({
        user: user.person.user,
        enabled: user.enabled,
        sessionsValidFrom: user.sessionsValidFrom,
        deleted: user.deleted,
      })),
      devices: [...world.entra.devices.values()],
    },
    crowdstrike: {
      hosts: [...world.crowdstrike.all.values()].map(({ laptop, deviceId, status, lastSeenMs }) => ({
        deviceId,
        hostname: laptop.hostname,
        serial: laptop.serial,
        status,
        lastSeen: new Date(lastSeenMs).toISOString(),
      })),
    },
  };
}
