/**
 * What Intune can send to which device, and the sentence that an approver reads.
 *
 * Platforms of each action: memdocs actions/wipe.md (2025-11-14) and remote-lock.md (2025-10-27); lost mode: supervised iOS
 * and iPadOS. A waiting command stays until the certificate of the enrolment ends, a year that renews itself
 * (SupportArticles-docs troubleshoot-device-actions.md, 2025-02-11).
 * @module
 */
import type { CommandOffer, ManagedRecord, Platform, RemoteCommand } from '../roles';

/** Graph has no call that takes a command back, for none of them. */
const forGood =
  'It cannot be taken back: Graph has no call for it, and a device that is off gets it up to a year later.';

/** What can be sent to this device, and why not. Says nothing of second administrators: only sending shows them. */
export function offersFor(record: ManagedRecord): CommandOffer[] {
  return [offer('wipe', wiping(record)), offer('lock', locking(record)), offer('lost mode', losing(record))];
}

type Answer = { does: string; pin?: CommandOffer['pin'] } | { cannot: string };

function offer(command: RemoteCommand, answer: Answer): CommandOffer {
  const shared = { command, cancellable: false };
  return 'does' in answer
    ? { ...shared, offered: true, because: `${answer.does} ${forGood}`, pin: answer.pin ?? 'none' }
    : { ...shared, offered: false, because: answer.cannot, pin: 'none' };
}

const wipes: Partial<Record<Platform, string>> = {
  windows:
    'It resets Windows and deletes all data. The protected form goes on after a power cut, and may leave the device unable to start.',
  macos:
    'It erases the Mac. One without a T2 chip, or with macOS 10.14 or older, needs our PIN to install the system again. Where Intune says failed, the Mac may have erased itself all the same.',
  ios: 'It erases the device.',
  android:
    'It resets the device. A Zebra loses its company data only; a Samsung that blocks a factory reset is not wiped, and cannot be reached any more.',
  chromeos: 'It resets the device, which enrols itself again when it is next online.',
};

function wiping({ companyOwned, platform }: ManagedRecord): Answer {
  if (!companyOwned) {
    return { cannot: 'Intune does not hold it for company property: a device of a person is never wiped.' };
  }
  const does = wipes[platform];
  if (does === undefined) return { cannot: notThere('wipe', platform) };
  return { does, pin: platform === 'macos' ? 'ours' : 'none' };
}

function locking({ companyOwned, platform }: ManagedRecord): Answer {
  if (platform === 'windows') return { cannot: 'Intune cannot lock Windows from afar.' };
  if (platform === 'macos') {
    return {
      does: 'It locks the Mac behind a PIN that Intune makes, and shows for 30 days or until the next command. A second lock before that PIN was used fails. No message is shown on it.',
      pin: 'made by the vendor',
    };
  }
  if (platform === 'android' && !companyOwned) {
    return { cannot: 'Intune does not hold it for company property: it locks no Android device of a person.' };
  }
  if (platform !== 'ios' && platform !== 'android') return { cannot: notThere('lock', platform) };
  return {
    does: 'It locks the screen. Without a passcode on the device it only goes dark. No message is shown on it.',
  };
}

function losing({ platform, supervised }: ManagedRecord): Answer {
  if (platform !== 'ios') return { cannot: 'Lost mode is for iPhones and iPads.' };
  if (!supervised) return { cannot: 'Lost mode is for supervised iPhones and iPads, and this one is not supervised.' };
  return { does: 'It locks the device and shows our message and number; then it can be located.' };
}

const notThere = (command: string, platform: Platform) =>
  platform === 'unknown'
    ? `Intune does not say what system it runs, so there is no ${command}.`
    : `Intune cannot ${command} ${platform === 'chromeos' ? 'ChromeOS' : 'Linux'} from afar.`;
