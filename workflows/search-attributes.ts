/**
 * Search attributes of cases and triages. They are never encrypted, so they hold words of ours and keyed hashes only.
 * @module
 */
import { defineSearchAttributeKey } from '@temporalio/common';

export const caseAttributes = {
  tenant: defineSearchAttributeKey('LostDeviceTenant', 'KEYWORD'),
  outcome: defineSearchAttributeKey('LostDeviceOutcome', 'KEYWORD'),
  containment: defineSearchAttributeKey('LostDeviceContainment', 'KEYWORD'),
  configuration: defineSearchAttributeKey('LostDeviceConfiguration', 'KEYWORD'),
  presence: defineSearchAttributeKey('LostDevicePresence', 'KEYWORD'),
  /** `person` when something waits for somebody, `vendor` when a step is failing, else `nothing`. */
  needs: defineSearchAttributeKey('LostDeviceNeeds', 'KEYWORD'),
  /** Keyed hashes of serial, installation id, hostname and user. */
  keys: defineSearchAttributeKey('LostDeviceKeys', 'KEYWORD_LIST'),
  /** Keyed hashes of the tickets. */
  tickets: defineSearchAttributeKey('LostDeviceTickets', 'KEYWORD_LIST'),
} as const;
