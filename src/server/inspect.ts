// /inspect: the command line asks a running gateway about an entry, which only the gateway knows when the store is in its
// process. Whoever asks shows the secret that both read from the home folder; without one there is no such route.

import { readJson } from './body.js';
import { requireControl } from './control.js';
import { type Exchange, onlyMethods, sendJson } from './exchange.js';
import { Refusal } from './refusal.js';

export interface InspectOptions {
  /** What is known of an entry; undefined when there is nothing to know. */
  readonly inspect: (view: string, key: string) => Promise<object | undefined>;
  readonly controlSecret: string;
}

const maxBytes = 16_384;

/** Answers `{view, key}` with the facts of that entry, or 404. @throws {Refusal} without the secret. */
export async function serveInspect(exchange: Exchange, { inspect, controlSecret }: InspectOptions): Promise<void> {
  onlyMethods(exchange, 'POST');
  requireControl(exchange, controlSecret);
  const { view, key } = await wantedEntry(exchange);
  const facts = await inspect(view, key);
  if (!facts) throw new Refusal('NOT_FOUND', 'There is nothing under this view and key.');
  sendJson(exchange, 200, facts);
}

async function wantedEntry({ request }: Exchange): Promise<{ view: string; key: string }> {
  const { value: body } = await readJson(request, maxBytes);
  if (typeof body === 'object' && body !== null && 'view' in body && 'key' in body) {
    const { view, key } = body;
    if (typeof view === 'string' && typeof key === 'string') return { view, key };
  }
  throw new Refusal('BAD_REQUEST', 'Send {"view": "…", "key": "…"}.');
}
