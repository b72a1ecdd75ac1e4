/**
 * Microsoft Graph as every product behind it shares it: the settings of an app registration, a client with its token, the
 * pages of a list, and the one guard that none of them must be without.
 * @module
 */
import { z } from 'zod';
import { VendorRefused } from './errors';
import { createVendorClient, type VendorClient, type VendorClientOptions } from './http';
import type { Call, Operation } from './roles';
import { filledText, milliseconds, vendorUrl } from './setting-fields';

/**
 * A `DELETE` on Graph that does not end in `/$ref` deletes the object itself: the user instead of the membership. So the
 * type knows no other DELETE, and the client sends no other.
 */
export type GraphOperation =
  | (Operation & { method: Exclude<Operation['method'], 'DELETE'> })
  | (Operation & { method: 'DELETE'; path: `${string}/$ref` });

/** An id as Entra gives it to users, groups, apps and whole tenants. */
export const objectId = z.guid({ error: 'is not an object id: copy the GUID from the Entra admin centre' });

/** The app registration that a product signs in as: part of its settings. */
export const graphSettings = {
  directoryTenant: filledText
    .regex(/^[A-Za-z0-9.-]+$/, { error: 'is neither a tenant id nor a domain' })
    .meta({ description: 'Tenant id or one of its domains.', example: 'your-tenant.invalid' }),
  clientId: objectId.meta({
    description: 'Application id of the app registration that this product signs in as.',
    example: '00000000-0000-4000-8000-000000000000',
  }),
  clientSecret: filledText.meta({ description: 'A secret of that app registration.', example: 'env:CLIENT_SECRET' }),
  graphUrl: vendorUrl
    .prefault('https://graph.microsoft.com')
    .describe('Address of Graph: national clouds have others.'),
  loginUrl: vendorUrl
    .prefault('https://login.microsoftonline.com')
    .describe('Where the product signs in: national clouds have others.'),
  timeoutMs: milliseconds.min(1).default(30_000).describe('How long Graph may be silent.'),
};

type GraphSettings = z.infer<z.ZodObject<typeof graphSettings>>;

/**
 * A client for Graph with client credentials.
 * @param vendor The product's name, as messages show it.
 */
export function createGraphClient(
  vendor: string,
  settings: GraphSettings,
  more: Pick<VendorClientOptions, 'limit' | 'describeError'> = {},
): VendorClient {
  return onlyReferencesAreDeleted(
    createVendorClient({
      vendor,
      baseUrl: settings.graphUrl,
      auth: {
        kind: 'client-credentials',
        tokenUrl: `${settings.loginUrl}/${settings.directoryTenant}/oauth2/v2.0/token`,
        clientId: settings.clientId,
        clientSecret: settings.clientSecret,
        scope: `${settings.graphUrl}/.default`,
      },
      timeoutMs: settings.timeoutMs,
      ...more,
    }),
    vendor,
  );
}

/**
 * Refuse every DELETE that could delete an object. A link or a query would replace or hide the end of the path, so a
 * DELETE has neither; values in the path are encoded by the client and cannot be empty.
 */
export function onlyReferencesAreDeleted(client: VendorClient, vendor: string): VendorClient {
  return {
    ...client,
    async request(operation, options) {
      const safe = operation.path.endsWith('/$ref') && options.url === undefined && options.query === undefined;
      if (operation.method === 'DELETE' && !safe) {
        const name = `${vendor} ${operation.name}`;
        throw new VendorRefused('LDP_REFUSED', `${name}: a DELETE without /$ref deletes the object`, {
          operation: name,
        });
      }
      return client.request(operation, options);
    },
  };
}

/** No list read here is longer (pages): a vendor that goes round in circles must not keep us. */
const mostPages = 100;

/** The items of a list, page by page, as far as the caller wants them. None where its status is in `accept`. */
export async function* itemsOf<T>(
  graph: VendorClient,
  operation: GraphOperation,
  item: z.ZodType<T>,
  asked: {
    call: Call;
    params?: Record<string, string>;
    query?: Record<string, string | number>;
    accept?: number[];
  },
): AsyncGenerator<T, void, undefined> {
  const { query, ...rest } = asked;
  const schema = z.object({ value: z.array(item), '@odata.nextLink': z.string().nullish() });
  let url: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const where = url === undefined ? { ...(query && { query }) } : { url };
    const { status, body } = await graph.request(operation, { ...rest, ...where, schema });
    if (asked.accept?.includes(status)) return;
    yield* body.value;
    url = body['@odata.nextLink'] ?? undefined;
    if (url === undefined) return;
  }
}

/** A text as OData writes it: in quotes, its own quotes doubled. */
export function odataText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A moment as OData writes it, in whole seconds and without quotes. */
export function odataMoment(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** 204 by the documentation. Whatever JSON may come one day is fine; a page of some proxy is not. */
export const noContent = z.unknown();

/** All that is needed of an object that is only counted or named. */
export const identified = z.object({ id: z.string().min(1) });
