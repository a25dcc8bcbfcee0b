// What the engine did, as typed events: tests assert the story, counters and logs listen. No event carries a value.

export type CacheEvent =
  | { readonly kind: 'flush'; readonly entries: number; readonly partitions: number }
  | {
      readonly kind: 'hit' | 'miss' | 'stale' | 'fenced' | 'bypass';
      readonly view: string;
      readonly key: string;
      readonly ms: number;
    }
  | { readonly kind: 'loaded'; readonly view: string; readonly keys: readonly string[]; readonly ms: number }
  /** Leases granted on entries that still stand. */
  | { readonly kind: 'renewing'; readonly view: string; readonly keys: readonly string[] }
  | { readonly kind: 'filled' | 'refused' | 'unfillable'; readonly view: string; readonly key: string }
  | { readonly kind: 'fence' | 'published' | 'dropped' | 'lifted'; readonly view: string; readonly key: string }
  /** A hit that SQL contradicts, confirmed by a second look; its key as it may be shown. */
  | {
      readonly kind: 'mismatch';
      readonly view: string;
      readonly key: string;
      readonly storeVersion: string | undefined;
      readonly sqlVersion: string;
    }
  | { readonly kind: 'relayed'; readonly entries: number; readonly ms: number }
  | { readonly kind: 'trusted' | 'generation'; readonly partitions: readonly number[] }
  /** Something that goes on by itself keeps failing, and is tried again; or, of `standing`, one who was told failed. */
  | {
      readonly kind: 'failing';
      readonly part: 'trust' | 'relay' | 'feed' | 'refresher' | 'standing';
      readonly error: unknown;
    }
  | { readonly kind: 'distrusted'; readonly partitions: readonly number[]; readonly reason: string };

export type Listener = (event: CacheEvent) => void;

/** Listeners are called at once and in order; what one throws is lost, and breaks nobody else. `on` gives back the way to stop. */
export class Events {
  readonly #listeners = new Set<Listener>();

  readonly emit = (event: CacheEvent): void => {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        // It listens to what has happened: that goes on whatever it makes of it.
      }
    }
  };

  readonly on = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}
