/**
 * The error catalogue: four classes, each a promise about what to do next, and stable codes that people can look up.
 * `docs/errors.md` lists the same codes; a test compares them.
 * @module
 */

/** What each code means and what to do about it. `docs/errors.md` is made from this table. */
export const errorCatalogue = {
  LDP_UNREACHABLE: {
    class: 'VendorUnavailable',
    meaning: 'The vendor could not be reached, or did not answer in time to a read.',
    remedy: 'It is retried. Check the network, the address in the settings and the vendor status page.',
  },
  LDP_SERVER_ERROR: {
    class: 'VendorUnavailable',
    meaning: 'The vendor answered a read with a fault of its own (5xx).',
    remedy: 'It is retried. Check the vendor status page.',
  },
  LDP_RATE_LIMITED: {
    class: 'VendorUnavailable',
    meaning: 'The vendor asks us to slow down (429, or its own limit headers).',
    remedy: 'It is retried when the vendor says. See who else uses the same credentials.',
  },
  LDP_UNEXPECTED_ANSWER: {
    class: 'VendorUnavailable',
    meaning: 'The answer was not in the form that the vendor documents; the message names call and field.',
    remedy: 'It is retried. If it stays, the vendor has changed its API: report the named field.',
  },
  LDP_NOT_SEEN_YET: {
    class: 'VendorUnavailable',
    meaning: 'A change was accepted, and reading back does not show it yet.',
    remedy: 'It is looked for again. If it stays, look at the object in the vendor console.',
  },
  LDP_OUTCOME_UNKNOWN: {
    class: 'OutcomeUnknown',
    meaning: 'A change was sent and its answer was lost (time-out, reset, 5xx): it may have been made.',
    remedy: 'The state is read back before anything is sent again.',
  },
  LDP_NOT_AUTHENTICATED: {
    class: 'VendorRefused',
    meaning: 'The vendor refused our credentials (401).',
    remedy: 'Renew the credential that the settings name, then retry the step.',
  },
  LDP_NOT_PERMITTED: {
    class: 'VendorRefused',
    meaning: 'The credential may not make this call, or the licence does not cover it (403).',
    remedy: 'Grant the permission named in the plugin README, then retry the step.',
  },
  LDP_NOT_OFFERED: {
    class: 'VendorRefused',
    meaning: 'This tenant has no such endpoint (a 404 of the gateway).',
    remedy: 'Ask the vendor for the feature, or switch it off in the settings.',
  },
  LDP_REFUSED: {
    class: 'VendorRefused',
    meaning: 'The vendor understood the call and said no (400, or a success code with an error inside).',
    remedy: 'Read the message; correct the object or the setting, then retry or skip the step.',
  },
  LDP_APPROVAL_REQUIRED: {
    class: 'VendorRefused',
    meaning: 'The vendor wants a second administrator to agree before it sends this command.',
    remedy: 'Approve it in the vendor console; the case goes on by itself when that is done.',
  },
  LDP_CONFLICT: {
    class: 'VendorRefused',
    meaning: 'The object is in a state that forbids the call (409, 412).',
    remedy: 'Look at the object in the vendor console, then retry or skip the step.',
  },
  LDP_HOST_NOT_ALLOWED: {
    class: 'VendorRefused',
    meaning: 'The call would have gone to a host that the settings do not name.',
    remedy: 'Correct the address in the settings. Redirects to other hosts are never followed.',
  },
  LDP_NOT_FOUND: {
    class: 'VendorRefused',
    meaning: 'The object does not exist at the vendor (404).',
    remedy: 'Check the name in the settings or the ticket, then retry or skip the step.',
  },
  LDP_BAD_INPUT: {
    class: 'BadInput',
    meaning: 'Something given to us is not in the form we ask for; the message names the field.',
    remedy: 'Correct the named field and send it again.',
  },
  LDP_BAD_SIGNATURE: {
    class: 'BadInput',
    meaning: 'A webhook could not be proven to come from its sender, or is too old.',
    remedy: 'Compare the secret and the clock of the sender with ours.',
  },
  LDP_TOO_LARGE: {
    class: 'BadInput',
    meaning: 'A body is larger than we accept.',
    remedy: 'Send less than the limit that the message names.',
  },
} as const;

export type ErrorCode = keyof typeof errorCatalogue;
export type ErrorClass = (typeof errorCatalogue)[ErrorCode]['class'];

export interface ErrorDetails {
  /** Which vendor and which of its operations, for instance `netskope scim.patchGroup`. */
  operation?: string;
  /** HTTP status, where there was one. */
  status?: number;
  /** The vendor's correlation id, for its support. */
  requestId?: string;
  /** Code of the approval that the vendor waits for. */
  approvalCode?: string;
  /** How long the vendor asks us to wait (milliseconds). */
  retryAfterMs?: number;
  /** Path of the wrong field, for answers and inputs. */
  field?: string;
}

/** Base of the four classes. Messages are shown to people: never put a secret, a header or a whole body in them. */
export abstract class PlaybookError extends Error {
  abstract override readonly name: ErrorClass;
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: ErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The vendor is away, slow or confused: try again later. */
export class VendorUnavailable extends PlaybookError {
  override readonly name = 'VendorUnavailable';
}
/** The vendor said no, and will say no again until a person changes something. */
export class VendorRefused extends PlaybookError {
  override readonly name = 'VendorRefused';
}
/** A change was sent and nobody knows whether it was made: read back before anything else. */
export class OutcomeUnknown extends PlaybookError {
  override readonly name = 'OutcomeUnknown';
}
/** What was given to us is wrong: refused at the boundary. */
export class BadInput extends PlaybookError {
  override readonly name = 'BadInput';
}
