// /warm: the command line has a running gateway fill the next entries of a view, which only the gateway can when the
// store is in its process. One request fills one page, so that none takes long and the caller sees how far it is.

import { readJson } from './body.js';
import { requireControl } from './control.js';
import { type Exchange, onlyMethods, sendJson } from './exchange.js';
import { Refusal } from './refusal.js';

export interface WarmOptions {
  /** Fills the entries that follow `after`, and tells what it did; undefined where there is no such view. */
  readonly warm: (view: string, after: string | undefined) => Promise<object | undefined>;
  readonly controlSecret: string;
}

const maxBytes = 16_384;

/** Answers `{view, after?}` with how far the view is filled, or 404. @throws {Refusal} without the secret. */
export async function serveWarm(exchange: Exchange, { warm, controlSecret }: WarmOptions): Promise<void> {
  onlyMethods(exchange, 'POST');
  requireControl(exchange, controlSecret);
  const { view, after } = await wantedPage(exchange);
  const warmed = await warm(view, after);
  if (!warmed) throw new Refusal('NOT_FOUND', 'There is no view of this name.');
  sendJson(exchange, 200, warmed);
}

async function wantedPage({ request }: Exchange): Promise<{ view: string; after: string | undefined }> {
  const { value: body } = await readJson(request, maxBytes);
  if (typeof body === 'object' && body !== null && 'view' in body) {
    const { view } = body;
    const after = 'after' in body ? body.after : undefined;
    if (typeof view === 'string' && (after === undefined || typeof after === 'string')) return { view, after };
  }
  throw new Refusal('BAD_REQUEST', 'Send {"view": "…"}, and with "after" the key to go on after.');
}
