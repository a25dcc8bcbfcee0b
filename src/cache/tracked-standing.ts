// Which values stand, by what a master has said on a tracking connection: as long as it has not told that one changed, one word
// from it, whatever that is, says that all of them stand. What is not known, or was told of, is asked for.
import { CacheUnavailable } from './errors.js';
import { guardArgs } from './redis-arguments.js';
import type { Batch } from './redis-calls.js';
import { commandOf } from './redis-command.js';
import type { RedisKeys } from './redis-keys.js';
import type { Asked, TrackingSession } from './redis-tracking.js';
import { Refused, type Reply } from './resp.js';
import type { Guard, Guarded } from './store.js';
import type { TrackedEntry, TrackedMeta } from './tracked-keys.js';
import type { EntryRef } from './view.js';

/** A batch, and what is known of its keys. */
export interface Tracked {
  readonly batch: Batch<EntryRef>;
  readonly meta: TrackedMeta;
  readonly entries: readonly TrackedEntry[];
}

/** Stamps of values that stand, of each batch. */
export type Stamps = Guarded<string | undefined>[];

/** How often it is asked for what changes at the same time. */
const ROUNDS = 2;

/** Undefined where some entry was not asked about lately: it is not worth to be tracked. */
export function trackedIn(
  { keys }: TrackingSession,
  batches: readonly Batch<EntryRef>[],
  names: RedisKeys,
): readonly Tracked[] | undefined {
  let areKnown = true;
  const tracked = batches.map((batch) => {
    const nameOf = names.entryNames(batch.partition);
    const entries: TrackedEntry[] = [];
    for (const item of batch.items) {
      const entry = keys.entry(item, nameOf);
      if (entry) entries.push(entry);
      else areKnown = false;
    }
    return { batch, meta: keys.meta(names.meta(batch.partition)), entries };
  });
  return areKnown ? tracked : undefined;
}

/** Tells undefined where the master says nothing of use: then it is to be asked otherwise. */
export function askTracked(
  session: TrackingSession,
  tracked: readonly Tracked[],
  timeoutMs: number,
  tell: (stamps: Stamps | undefined) => void,
): void {
  const startedMs = performance.now();
  const ask = (rounds: number, leftMs: number) => {
    const round = new Round();
    session.ask(round.asked(tracked), leftMs, (how) => {
      if (how === 'silent') tell(unavailable(tracked, timeoutMs));
      else if (how === 'lost' || round.isRefused) tell(undefined);
      else if (round.isSettled(tracked)) tell(round.stampsOf(tracked));
      else if (rounds > 1) ask(rounds - 1, Math.max(1, startedMs + timeoutMs - performance.now()));
      else tell(undefined);
    });
  };
  ask(ROUNDS, timeoutMs);
}

function unavailable(tracked: readonly Tracked[], timeoutMs: number): Stamps {
  const error = new CacheUnavailable(`Redis did not answer within ${Math.ceil(timeoutMs)} ms.`, 'timeout');
  return tracked.map(() => ({ kind: 'unavailable', error }));
}

/** Asks once for all that is not known. */
class Round {
  /** Metas that show another guard. */
  readonly #others = new Set<TrackedMeta>();
  /** Entries of which nothing stands. */
  readonly #gone = new Set<TrackedEntry>();
  #incarnation: string | undefined;
  #isRefused = false;

  /** Whether the master did not say what it was asked for. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** What to ask; what is learned by it is kept as it is heard. One word, where all is known. */
  asked(tracked: readonly Tracked[]): readonly Asked[] {
    const asked: Asked[] = [];
    for (const { batch, meta, entries } of tracked) {
      if (meta.guard !== batch.guard) {
        if (this.#incarnation === undefined) asked.unshift(this.#life());
        asked.push(this.#guardOf(meta, batch.guard));
      }
      for (const entry of entries) if (entry.stamp === undefined) asked.push(this.#stampOf(entry));
    }
    return asked.length > 0 ? asked : [{ command: PING, hear: this.#anything }];
  }

  /** Whether all is known, and nothing of it was told to have changed meanwhile. */
  isSettled(tracked: readonly Tracked[]): boolean {
    return tracked.every(
      ({ batch, meta, entries }) =>
        this.#others.has(meta) ||
        (meta.guard === batch.guard && entries.every((entry) => entry.stamp !== undefined || this.#gone.has(entry))),
    );
  }

  stampsOf(tracked: readonly Tracked[]): Stamps {
    return tracked.map(({ batch, meta, entries }) =>
      this.#others.has(meta) ? { kind: 'mismatch' } : { kind: 'done', replies: stampsUnder(batch.guard, entries) },
    );
  }

  #life(): Asked {
    this.#incarnation = '';
    const hear = (reply: Reply) => {
      if (typeof reply !== 'string') this.#isRefused = true;
      else if (reply.includes('role:master')) this.#incarnation = /master_replid:(\w+)/.exec(reply)?.[1] ?? '';
    };
    return { command: INFO, hear };
  }

  #guardOf(meta: TrackedMeta, guard: Guard): Asked {
    const hear = (reply: Reply) => {
      if (reply instanceof Refused && !isWrongType(reply)) this.#isRefused = true;
      else if (this.#incarnation === guard.incarnation && isGuard(reply, guard)) meta.guard = guard;
      else this.#others.add(meta);
    };
    return { command: commandOf(['HMGET', meta.name, 'i', 'e', 'g']), hear };
  }

  #stampOf(entry: TrackedEntry): Asked {
    const hear = (reply: Reply) => {
      if (typeof reply === 'string') entry.stamp = reply;
      else if (reply instanceof Refused && !isWrongType(reply)) this.#isRefused = true;
      else this.#gone.add(entry);
    };
    return { command: commandOf(['HGET', entry.name, 'p']), hear };
  }

  readonly #anything = (reply: Reply): void => {
    if (reply instanceof Refused) this.#isRefused = true;
  };
}

const PING = commandOf(['PING']);
const INFO = commandOf(['INFO', 'replication']);

/** An entry of another generation is absent. */
function stampsUnder({ generation }: Guard, entries: readonly TrackedEntry[]): (string | undefined)[] {
  const ours = `${generation}:`;
  return entries.map(({ stamp }) => (stamp?.startsWith(ours) ? stamp : undefined));
}

const isGuard = (reply: Reply, guard: Guard): boolean =>
  Array.isArray(reply) && guardArgs(guard).every((word, at) => reply[at] === word);

/** What has been given another type is as good as absent. */
const isWrongType = ({ message }: Refused): boolean => message.startsWith('WRONGTYPE');
