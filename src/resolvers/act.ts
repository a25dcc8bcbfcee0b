// What goes with each answer and is no part of it. As plain data, so that whoever gives an answer again can keep it as such.
import { flagUsesOf } from './flag-uses.js';
import type { Services } from './services.js';

export type Act =
  | { readonly kind: 'token-used'; readonly id: string }
  | { readonly kind: 'flag-evaluated'; readonly environment: string; readonly key: string };

/** Does it, as of now. */
export function perform(act: Act, services: Services): void {
  if (act.kind === 'token-used') services.tokenUses.note(act.id, services.now());
  else flagUsesOf(services).note(act.environment, act.key, services.now());
}
