// Streams of what changes. Each event is read and told anew, for the caller as he is then: his token is examined again,
// and nothing that was read for an earlier event is used. While a stream is open it misses nothing; one that cannot
// keep that ends with an error.
import type { Change, Interest } from '../cache/index.js';
import type { Context } from './context.js';

/** One event of a stream, and the caller whom it was read for. */
export class Told<Value> {
  readonly value: Value;
  readonly ctx: Context;

  constructor(value: Value, ctx: Context) {
    this.value = value;
    this.ctx = ctx;
  }
}

/** The caller whom an event of a stream was read for; undefined for anything else. */
export const contextOfEvent = (event: unknown): Context | undefined => (event instanceof Told ? event.ctx : undefined);

export interface Topic<Value> extends Interest {
  /** What the caller is told of the change, at its version or a newer one; null for nothing. */
  readonly read: (now: Context, change: Change) => Promise<Value | null>;
}

export type Stream<Value> = AsyncIterableIterator<Told<Value>>;

/**
 * Tells of every change of `topic` from now on, each version once; of a key that changes faster than the stream is taken
 * from, the newest. `return` ends it at once, also while an event is waited for.
 * The stream throws `Unauthenticated` at the first event after the caller's token ceased to be valid, `FeedInterrupted`
 * when changes were lost, and what the database threw when an event could not be read.
 */
export async function follow<Value extends { readonly version: bigint }>(
  ctx: Context,
  topic: Topic<Value>,
): Promise<Stream<Value>> {
  const changes = await ctx.services.cache.feed.listen(topic);
  const events = tell(ctx, changes, topic);
  const stream: Stream<Value> = {
    next: () => events.next(),
    // The generator would first wait for a change.
    return: async () => {
      await changes.return();
      return events.return(undefined);
    },
    [Symbol.asyncIterator]: () => stream,
  };
  return stream;
}

/** How many keys are remembered with the version told; a version of a key that was forgotten may be told twice. */
const MAX_REMEMBERED = 1_000;

async function* tell<Value extends { readonly version: bigint }>(
  ctx: Context,
  changes: AsyncIterableIterator<Change>,
  { read }: Topic<Value>,
): AsyncGenerator<Told<Value>, undefined> {
  const told = new Map<string, bigint>();
  for await (const change of changes) {
    if (change.version <= (told.get(change.key) ?? 0n)) continue;
    const now = await ctx.renew();
    const value = await read(now, change);
    if (!value) continue;
    told.delete(change.key);
    told.set(change.key, value.version);
    for (const oldest of told.keys()) {
      if (told.size <= MAX_REMEMBERED) break;
      told.delete(oldest);
    }
    yield new Told(value, now);
  }
  return undefined;
}
