// /verify: the command line has a running gateway compare entries with SQL, which only the gateway can when the store is in
// its process. One request compares one page, so that none takes long and the caller sees how far it is.

import { readJson } from './body.js';
import { requireControl } from './control.js';
import { type Exchange, onlyMethods, sendJson } from './exchange.js';
import { Refusal } from './refusal.js';

/** Compares what stands under `keys` with SQL, and tells what it found; undefined where there is no such view. */
export type Verify = (
  view: string,
  keys: readonly string[],
  options: { readonly repair: boolean },
) => Promise<object | undefined>;

export interface VerifyOptions {
  readonly verify: Verify;
  readonly controlSecret: string;
}

const maxBytes = 1_000_000;
const maxKeys = 500;

/** Answers `{view, keys, repair?}` with how these entries compare, or 404. @throws {Refusal} without the secret. */
export async function serveVerify(exchange: Exchange, { verify, controlSecret }: VerifyOptions): Promise<void> {
  onlyMethods(exchange, 'POST');
  requireControl(exchange, controlSecret);
  const { view, keys, repair } = await wantedEntries(exchange);
  const verified = await verify(view, keys, { repair });
  if (!verified) throw new Refusal('NOT_FOUND', 'There is no view of this name.');
  sendJson(exchange, 200, verified);
}

async function wantedEntries({
  request,
}: Exchange): Promise<{ view: string; keys: readonly string[]; repair: boolean }> {
  const { value: body } = await readJson(request, maxBytes);
  if (typeof body === 'object' && body !== null && 'view' in body && 'keys' in body) {
    const { view, keys } = body;
    const repair = 'repair' in body ? body.repair : false;
    if (typeof view === 'string' && isKeys(keys) && typeof repair === 'boolean') return { view, keys, repair };
  }
  throw new Refusal('BAD_REQUEST', `Send {"view": "…", "keys": ["…"]}, ${maxKeys} keys at most, and "repair" if so.`);
}

const isKeys = (keys: unknown): keys is readonly string[] =>
  Array.isArray(keys) && keys.length <= maxKeys && keys.every((key) => typeof key === 'string');
