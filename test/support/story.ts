// What an engine did, recorded from its events, for tests to wait on and to compare.
import type { CacheEvent, Events } from '../../src/cache/index.js';

type Kind = CacheEvent['kind'];

export class Story {
  readonly events: CacheEvent[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(events: Events) {
    events.on((event) => {
      this.events.push(event);
      for (const look of [...this.#waiting]) look();
    });
  }

  /** The kinds of what happened to one entry, in order. */
  of(view: string, key: string): Kind[] {
    return this.events.filter((event) => tells(event, view, key)).map(({ kind }) => kind);
  }

  all<K extends Kind>(kind: K): Extract<CacheEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<CacheEvent, { kind: K }> => event.kind === kind);
  }

  /** Forgets what happened so far. */
  clear(): void {
    this.events.length = 0;
  }

  /** Resolves once `count` events of `kind` have happened since the last `clear`; to one entry, if it is named. */
  async until(kind: Kind, entry?: { readonly view: string; readonly key: string }, count = 1): Promise<void> {
    const happened = () =>
      this.events.filter((event) => event.kind === kind && (!entry || tells(event, entry.view, entry.key))).length;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (happened() < count) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

function tells(event: CacheEvent, view: string, key: string): boolean {
  if (!('view' in event) || event.view !== view) return false;
  return 'keys' in event ? event.keys.includes(key) : event.key === key;
}
