/**
 * Who may call Microsoft Graph: the token endpoint of the directory, for every product behind Graph.
 * @module
 */
import type { Answer, VendorRequest } from '../vendor';
import type { World } from '../world';
import { entraIds } from './directory';

const tokenSeconds = 3599;

/** Tokens and when they end, in real time. */
export class GraphTokens {
  readonly #endsMs = new Map<string, number>();
  #issued = 0;

  constructor(readonly world: World) {}

  /** `POST /{tenant}/oauth2/v2.0/token`. */
  issue(request: VendorRequest): Answer {
    const form = new URLSearchParams(request.body);
    const { seed } = this.world;
    const refused = (status: number, error: string, description: string): Answer => ({
      status,
      body: { error, error_description: description, error_codes: [], correlation_id: seed.uuid('correlation') },
    });
    if (request.path !== `/${entraIds.tenant}/oauth2/v2.0/token`) {
      return refused(400, 'invalid_request', 'AADSTS90002: Tenant not found.');
    }
    if (form.get('grant_type') !== 'client_credentials') {
      return refused(400, 'unsupported_grant_type', 'AADSTS70003: The app requested an unsupported grant type.');
    }
    if (form.get('client_id') !== entraIds.clientId || form.get('client_secret') !== entraIds.clientSecret) {
      return refused(401, 'invalid_client', 'AADSTS7000215: Invalid client secret provided.');
    }
    if (!form.get('scope')?.endsWith('/.default')) {
      return refused(400, 'invalid_scope', 'AADSTS1002012: The scope must end with /.default.');
    }
    this.#issued += 1;
    const accessToken = `sim-entra-token-${this.#issued}-${seed.hex(`token ${this.#issued}`, 32)}`;
    this.#endsMs.set(accessToken, Date.now() + tokenSeconds * 1000);
    const body = {
      token_type: 'Bearer',
      expires_in: tokenSeconds,
      ext_expires_in: tokenSeconds,
      access_token: accessToken,
    };
    return { status: 200, headers: { 'cache-control': 'no-store' }, body };
  }

  letsIn({ headers }: VendorRequest): boolean {
    const bearer = headers.authorization?.replace(/^Bearer /i, '') ?? '';
    return (this.#endsMs.get(bearer) ?? 0) > Date.now();
  }
}
