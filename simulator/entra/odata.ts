/**
 * How Microsoft Graph answers, whatever it is asked about.
 * @module
 */
import type { Answer, VendorRequest } from '../vendor';

export const graphMessage = (status: number, code: string, message: string): Answer => ({
  status,
  body: { error: { code, message, innerError: { date: new Date().toISOString() } } },
});

export const noSuch = (id: string): Answer =>
  graphMessage(
    404,
    'Request_ResourceNotFound',
    `Resource '${id}' does not exist or one of its queried objects are not present.`,
  );

export const wrong = (message: string): Answer => graphMessage(400, 'Request_BadRequest', message);

export const notLetIn: Answer = graphMessage(
  401,
  'InvalidAuthenticationToken',
  'Access token is empty, unknown or has expired.',
);

export function throttled(resetMs: number): Answer {
  const answer = graphMessage(429, 'TooManyRequests', 'Too many requests.');
  return { ...answer, headers: { 'retry-after': String(Math.ceil(resetMs / 1000)) } };
}

/** One page of a list, with a link to the next one. */
export function paged(request: VendorRequest, found: object[], pageSize = 100): Answer {
  const top = Number(request.query.get('$top') ?? pageSize);
  const from = Number(request.query.get('$skiptoken') ?? 0);
  const next = new URLSearchParams(request.query);
  next.set('$skiptoken', String(from + top));
  const link = `${request.origin}${request.path}?${next.toString()}`;
  const more = from + top < found.length && { '@odata.nextLink': link };
  return {
    status: 200,
    body: { value: found.slice(from, from + top).map((item) => selected(request, item)), ...more },
  };
}

export function selected(request: VendorRequest, resource: object): object {
  const names = request.query.get('$select')?.split(',');
  return names ? Object.fromEntries(Object.entries(resource).filter(([name]) => names.includes(name))) : resource;
}
