/**
 * What no API of Netskope shows (facts/netskope.md 4.1): a person looks in the console and attests it. From the vendor's own
 * advice for lost and stolen devices, in its order.
 * @module
 */
import { attested } from '../prerequisites';
import type { ProductPrerequisite } from '../roles';

const client = 'Settings > Security Cloud Platform > Netskope Client > Client Configuration > the lost one';

/** One for each page of the console, so that who looks there can say of everything on it whether it is so. */
export const attestedPrerequisites: ProductPrerequisite[] = [
  attested({
    id: 'netskope-client-configuration',
    title: 'The lost group has a client configuration of its own, above all others',
    neededFor: 'The first configuration that fits a user counts: below another one the lost one never arrives.',
    setAt: client,
  }),
  attested({
    id: 'netskope-tunnel-settings',
    title: 'Tunnel settings: everything off but the two periodic checks',
    neededFor: 'Every other option there lets traffic pass beside the tunnel, or lets the user change it.',
    setAt: `${client} > Tunnel Settings`,
  }),
  attested({
    id: 'netskope-periodic-classification',
    title: 'Periodic device classification every minute, re-authentication for private apps every 3 minutes',
    neededFor: 'A device tag blocks only when the device is classified again.',
    setAt: `${client} > Tunnel Settings`,
  }),
  attested({
    id: 'netskope-pre-logon',
    title: 'Pre-logon for private apps is off (unless you depend on it)',
    neededFor: 'A thief who never signs in would still reach private apps.',
    setAt: `${client} > Tunnel Settings`,
  }),
  attested({
    id: 'netskope-endpoint-dlp',
    title: 'Endpoint DLP is on',
    neededFor: 'Without it the policy for USB and printers does nothing.',
    setAt: `${client} > Endpoint DLP`,
  }),
  attested({
    id: 'netskope-install',
    title: 'Upgrades to the latest golden release, without a notification to the user',
    neededFor: 'An old client misses protections, and a notification tells the thief that it is there.',
    setAt: `${client} > Install & Troubleshoot`,
  }),
  attested({
    id: 'netskope-troubleshoot',
    title: 'No uninstallation when the user is removed, no unenrolment by users, no advanced debugging',
    neededFor: 'Each of them lets the client go, or be taken apart, on the lost device.',
    setAt: `${client} > Install & Troubleshoot`,
  }),
  attested({
    id: 'netskope-tamperproof',
    title: 'Clients and private apps access cannot be disabled; configuration and resources are protected',
    neededFor: 'One click would end the containment.',
    setAt: `${client} > Tamperproof`,
  }),
  attested({
    id: 'netskope-fail-close',
    title: 'Fail close is on',
    neededFor: 'Without it a client that cannot reach its tunnel lets everything pass.',
    setAt: `${client} > Tamperproof`,
  }),
  attested({
    id: 'netskope-uninstall-password',
    title: 'Uninstallation asks for a password: letters and digits, special characters, 15 or more',
    neededFor: 'Whoever holds the device could take the client off.',
    setAt: `${client} > Tamperproof`,
  }),
  attested({
    id: 'netskope-hidden-icon',
    title: 'The client icon is hidden',
    neededFor: 'A thief would see what watches the device.',
    setAt: `${client} > Tamperproof`,
  }),
  attested({
    id: 'netskope-steer-everything',
    title: 'The lost steering configuration steers all traffic, and DNS',
    neededFor: 'What is not steered is not blocked.',
    setAt: 'Settings > Security Cloud Platform > Steering Configuration > the lost one',
  }),
  attested({
    id: 'netskope-block-policy',
    title: 'A real-time policy blocks any traffic of the lost group, above all that would allow it',
    neededFor: 'Without it a contained device browses on.',
    setAt: 'Policies > Real-time Protection',
  }),
  attested({
    id: 'netskope-usb-and-printers',
    title: 'An endpoint policy blocks USB and printers for the lost group',
    neededFor: 'Data would leave on a stick.',
    setAt: 'Policies > Endpoint Protection',
  }),
  attested({
    id: 'netskope-ssl-decryption',
    title: 'The traffic of the lost group is decrypted: no SSL policy leaves it out',
    neededFor: 'What is not decrypted is neither seen nor told.',
    setAt: 'Policies > SSL Decryption',
  }),
  attested({
    id: 'netskope-firewalls',
    title: 'Firewalls let the client out (TCP and UDP 443 to NewEdge), and never decrypt it',
    neededFor: 'Behind a firewall that decrypts, the client gets neither tunnel nor configuration.',
    setAt: 'Every perimeter firewall: allow list and decryption bypass for *.goskope.com and the NewEdge ranges',
  }),
  attested({
    id: 'netskope-other-agents',
    title: 'EDR and MDM leave the client alone',
    neededFor: 'An agent that stops or filters the client ends the containment.',
    setAt: 'The exclusions of your EDR and MDM for the Netskope client',
  }),
  attested({
    id: 'netskope-token-end',
    title: 'The API token outlasts the next months (attest it until the day it ends)',
    neededFor: 'A token that ends during a case stops everything that Netskope is asked for.',
    setAt: 'Settings > Tools > REST API v2, or Administrators > Service accounts',
  }),
];
