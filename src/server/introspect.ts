// /introspect, RFC 7662: API gateways and other servers ask, in a form, what a token stands for. They authenticate by a
// token of their own, as a bearer token or as the password of HTTP Basic. Errors have the form that OAuth clients expect.

import type { Arrival } from './arrival.js';
import type { AtWork } from './at-work.js';
import { readForm } from './body.js';
import { type Exchange, onlyMethods, sendJson } from './exchange.js';
import { Refusal, type RefusalCode, refusalOf } from './refusal.js';

/** What an active token stands for, or that it is not active. @throws what has a code of the contract, for callers who may not ask. */
export type Introspect<Caller> = (caller: Caller, token: string) => Promise<object>;

export interface IntrospectionOptions<Caller> {
  readonly introspect: Introspect<Caller>;
  readonly contextOf: (arrival: Arrival) => Promise<Caller>;
  readonly atWork: AtWork;
  /** The coded form of an error that a client can act on. */
  readonly codedError?: (error: unknown) => Error | undefined;
}

const maxBytes = 16_384;

/** How OAuth clients are told to try again. */
export const temporarilyUnavailable = (message: string) => ({
  error: 'temporarily_unavailable',
  error_description: message,
});

/** Answers `token=…` with 200 and what it stands for, whatever has become of the token. */
export async function serveIntrospection<Caller>(
  exchange: Exchange,
  { introspect, contextOf, atWork, codedError }: IntrospectionOptions<Caller>,
): Promise<void> {
  try {
    onlyMethods(exchange, 'POST');
    const form = await readForm(exchange.request, maxBytes);
    const authorization = bearerOf(exchange.request.headers.authorization);
    const facts = await atWork(exchange, async () => {
      const caller = await contextOf({ authorization, posted: true });
      return introspect(caller, wantedToken(form));
    });
    sendJson(exchange, 200, facts);
  } catch (error) {
    const refusal = refusalOf(codedError?.(error) ?? error);
    if (!refusal) throw error;
    sendOAuthError(exchange, refusal);
  }
}

/** HTTP Basic as a bearer token: the password is the token, and the name tells people whose it is. */
function bearerOf(authorization: string | undefined): string | undefined {
  const [, credentials] = /^Basic +([A-Za-z0-9+/=_-]{1,1000})$/i.exec(authorization ?? '') ?? [];
  if (credentials === undefined) return authorization;
  const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(credentials, 'base64').toString('utf8')) ?? [];
  return `Bearer ${password}`;
}

function wantedToken(form: URLSearchParams): string {
  const [token, ...others] = form.getAll('token');
  if (token !== undefined && token !== '' && others.length === 0) return token;
  throw new Refusal('BAD_REQUEST', 'Send the token to introspect once, as token=… in the body.');
}

function sendOAuthError(exchange: Exchange, { code, status, headers, message }: Refusal): void {
  for (const [name, value] of Object.entries(headers)) exchange.response.setHeader(name, value);
  if (status === 401) exchange.response.setHeader('www-authenticate', challenge);
  sendJson(exchange, status, { error: oauthErrors[code] ?? 'invalid_request', error_description: message });
}

const challenge = 'Bearer realm="introspect", Basic realm="introspect", charset="UTF-8"';

const oauthErrors: Partial<Record<RefusalCode, string>> = {
  UNAUTHENTICATED: 'invalid_client', // RFC 6749, §5.2
  FORBIDDEN: 'insufficient_scope', // RFC 6750, §3.1
  CACHE_UNREACHABLE: 'temporarily_unavailable',
  UNAVAILABLE: 'temporarily_unavailable',
  OVERLOADED: 'temporarily_unavailable',
  RATE_LIMITED: 'temporarily_unavailable',
};
