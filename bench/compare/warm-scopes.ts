// Fills the gateway's cache for callers who have not asked yet, with its own command; the peers' caches are filled by asking.
import type { Servers } from '../support/servers.js';
import type { Running } from './contestants.js';
import { espelho } from './large-menu.js';

const VIEWS = ['account', 'statement', 'statement-lines', 'token'];

export async function warmScopes(servers: Servers, espelhoUrl: string, running: readonly Running[]): Promise<void> {
  if (!running.some(({ entrant }) => entrant.runs.kind === 'espelho')) return;
  for (const view of VIEWS) espelho(['warm', view, '--json'], servers, espelhoUrl);
}
