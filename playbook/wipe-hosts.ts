/**
 * Which hosts does a steering configuration not let through, so that a wipe may never arrive? Pure.
 * @module
 */

/**
 * The needed hosts that no exception covers, in their order. `*.example.com` covers every host below `example.com` and not
 * itself: where a vendor is more generous, this names a host too many, never one too few.
 *
 * @param needed hosts, or patterns such as `*.manage.microsoft.com`, each of which is covered by the same or a wider one
 * @param letThrough exceptions, as the vendor lists them
 */
export function missingHosts(needed: string[], letThrough: string[]): string[] {
  const exceptions = letThrough.map(plain);
  return needed.filter((host) => !exceptions.some((exception) => covers(exception, plain(host))));
}

const covers = (exception: string, host: string) =>
  exception === host || (exception.startsWith('*.') && host.endsWith(exception.slice(1)));

const plain = (host: string) => host.trim().toLowerCase().replace(/\.$/, '');
