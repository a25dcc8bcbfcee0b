// GraphiQL where not everybody may see it: the browser asks for a name, which is not looked at, and a token as password.
// That lets the page in and nothing else: operations take a bearer token, typed into the page.

import type { Door } from './door.js';
import type { Exchange } from './exchange.js';
import { Refusal } from './refusal.js';

/** @throws {Refusal} unless the request bears a token whose caller may send documents of his own. */
export async function requireExplorer<Caller>(exchange: Exchange, door: Door<Caller>): Promise<void> {
  const [, credentials] =
    /^Basic +([A-Za-z0-9+/=_-]{1,1000})$/i.exec(exchange.request.headers.authorization ?? '') ?? [];
  if (credentials === undefined) throw locked('GraphiQL takes a token with ad-hoc here, as the password.');
  const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(credentials, 'base64').toString('utf8')) ?? [];
  const arrival = { authorization: `Bearer ${password}`, posted: false };
  const guest = await door.admit(exchange, arrival).catch((error: unknown) => {
    throw error instanceof Refusal && error.status === 401 ? locked(error.message) : error;
  });
  if (!guest.free) throw locked('This token lacks the scope ad-hoc, which GraphiQL takes here.');
}

const challenge = 'Basic realm="GraphiQL", charset="UTF-8"';
const locked = (sentence: string) =>
  new Refusal('UNAUTHENTICATED', sentence, { headers: { 'www-authenticate': challenge } });
