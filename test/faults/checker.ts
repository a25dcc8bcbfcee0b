// The checker of the pledge, per key. Every value that a client writes is its own, so that a value read tells which write
// it comes from; versions, drawn under the key's lock, tell which write is newer. A version that the engine got wrong
// shows too: each value must always come with the version that its receipt named.

import type { Answer, Author, Violation, ViolationKind, Write } from './violation.js';

export interface CheckerOptions {
  readonly nowMs: () => number;
  /** What excuses an older answer after a newer one in this span, such as a failover; undefined where nothing does. */
  readonly excuse: (fromMs: number, untilMs: number) => string | undefined;
  readonly onViolation: (violation: Violation) => void;
}

interface Record {
  readonly value: string | null;
  readonly author: Author;
  state: 'pending' | 'committed' | 'refused' | 'lost';
  version: number | undefined;
  seen: boolean;
  readonly beganMs: number;
  endedMs: number;
  /** When a newer write was acknowledged: reads that were under way then may still bring this one. */
  pastMs: number;
}

interface Mark {
  readonly version: number;
  readonly value: string | null | undefined;
  readonly author: Author | undefined;
  readonly atMs: number;
}

interface History {
  /** The newest write acknowledged as visible. */
  floor: Mark;
  /** The newest version that a read has shown. */
  shown: Mark;
  readonly byValue: Map<string, Record>;
  /** Writes that an answer without a version may still come from. */
  candidates: Record[];
  /** Whether values come again, as a member of a list does: then nothing but candidates can be checked. */
  readonly repeats: boolean;
}

/** A transaction without an answer has ended one way or the other after this long: what begins later comes after it. */
const LOST_FOR_MS = 60_000;
const NOTHING: Mark = { version: 0, value: undefined, author: undefined, atMs: 0 };

export class Checker {
  readonly #options: CheckerOptions;
  readonly #keys = new Map<string, History>();
  reads = 0;
  staleAnswers = 0;
  readonly writes = { visible: 0, invisible: 0, refused: 0, lost: 0 };
  /** Older answers after newer ones, by what excuses them. */
  readonly excused = new Map<string, number>();

  constructor(options: CheckerOptions) {
    this.#options = options;
  }

  /** Makes a key known, with what stands under it before anybody reads. */
  open(key: string, value: string | null, version = 0, repeats = false): void {
    const history: History = { floor: NOTHING, shown: NOTHING, byValue: new Map(), candidates: [], repeats };
    this.#keys.set(key, history);
    this.#record(history, {
      value,
      author: 'edit',
      state: 'committed',
      version,
      seen: true,
      beganMs: 0,
      endedMs: 0,
      pastMs: Infinity,
    });
    history.floor = { version, value, author: 'edit', atMs: this.#options.nowMs() };
  }

  /** Forgets a key that nobody reads any more. */
  close(key: string): void {
    this.#keys.delete(key);
  }

  beginWrite(key: string, value: string | null, author: Author = 'gateway'): Write {
    const history = this.#history(key);
    const record: Record = {
      value,
      author,
      state: 'pending',
      version: undefined,
      seen: false,
      beganMs: this.#options.nowMs(),
      endedMs: Infinity,
      pastMs: Infinity,
    };
    this.#record(history, record);
    const end = (state: Record['state']) => {
      record.state = state;
      record.endedMs = this.#options.nowMs();
    };
    return {
      acknowledge: (version, visible) => this.#acknowledge(key, history, record, version, visible),
      refuse: () => {
        end('refused');
        this.writes.refused++;
        if (record.seen) this.#violate('phantom', key, 'writer', { value }, record.endedMs, NOTHING);
      },
      lose: () => {
        end('lost');
        this.writes.lost++;
      },
    };
  }

  /** Call it when a read begins, and the result with what it returned. */
  beginRead(key: string): (answer: Answer, reader: string) => void {
    const history = this.#history(key);
    const { floor, shown } = history;
    const beganMs = this.#options.nowMs();
    return (answer, reader) => {
      this.reads++;
      if (answer.stale) this.staleAnswers++;
      const record = this.#origin(key, history, answer, reader, beganMs);
      if (answer.stale || record === 'unknown') return;
      const version = answer.version ?? record?.version;
      if (history.repeats || (version === undefined && answer.value === null)) {
        if (!this.#isPossible(history, answer, floor)) this.#violate('stale', key, reader, answer, beganMs, floor);
        return;
      }
      if (version === undefined) return; // committed, but its writer has not heard of it yet
      if (version < floor.version) this.#violate('stale', key, reader, answer, beganMs, floor);
      else if (version < shown.version) this.#invert(key, reader, answer, beganMs, shown);
      if (version <= history.shown.version) return;
      history.shown = { version, value: answer.value, author: record?.author, atMs: beganMs };
    };
  }

  /** What must stand under each key once everything is quiet. */
  expected(): readonly { readonly key: string; readonly version: number; readonly value: string | null | undefined }[] {
    return [...this.#keys].map(([key, { floor }]) => ({ key, version: floor.version, value: floor.value }));
  }

  #acknowledge(key: string, history: History, record: Record, version: number, visible: boolean): void {
    if (record.version !== undefined && record.version !== version) {
      const against: Mark = { version, value: record.value, author: record.author, atMs: this.#options.nowMs() };
      const read: Answer = { value: record.value, version: record.version };
      this.#violate('mismatch', key, 'writer', read, this.#options.nowMs(), against);
    }
    record.state = 'committed';
    record.version = version;
    record.endedMs = this.#options.nowMs();
    if (!visible) {
      this.writes.invisible++;
      return;
    }
    this.writes.visible++;
    if (version <= history.floor.version) return;
    history.floor = { version, value: record.value, author: record.author, atMs: record.endedMs };
    history.candidates = history.candidates.filter((one) => {
      if (one.state === 'lost' && one.version === undefined) return record.beganMs - one.endedMs < LOST_FOR_MS;
      if (one.version === undefined || one.version >= version) return one.state !== 'refused';
      one.pastMs = Math.min(one.pastMs, record.endedMs);
      return record.endedMs - one.pastMs < LOST_FOR_MS;
    });
  }

  /** The write that an answer comes from; undefined where that is nobody's in particular, 'unknown' after a violation. */
  #origin(key: string, history: History, answer: Answer, reader: string, beganMs: number) {
    const { value, version } = answer;
    if (value === null || history.repeats) return undefined;
    const record = history.byValue.get(value);
    if (!record) this.#violate('invented', key, reader, answer, beganMs, history.floor);
    else if (record.state === 'refused') this.#violate('phantom', key, reader, answer, beganMs, history.floor);
    if (!record || record.state === 'refused') return 'unknown';
    record.seen = true;
    if (version === undefined) return record;
    if (record.version === undefined) record.version = version;
    if (record.version === version) return record;
    this.#violate('mismatch', key, reader, answer, beganMs, { ...NOTHING, version: record.version, value });
    return 'unknown';
  }

  /** Whether some write can have left this value, at or after what was acknowledged before. */
  #isPossible(history: History, { value }: Answer, floor: Mark): boolean {
    return history.candidates.some((one) => {
      if (one.value !== value || one.state === 'refused') return false;
      return one.version === undefined || one.version >= floor.version;
    });
  }

  #invert(key: string, reader: string, answer: Answer, beganMs: number, shown: Mark): void {
    const reason = shown.author === 'edit' ? 'edit' : this.#options.excuse(shown.atMs, this.#options.nowMs());
    if (reason === undefined) this.#violate('inversion', key, reader, answer, beganMs, shown);
    else this.excused.set(reason, (this.excused.get(reason) ?? 0) + 1);
  }

  #record(history: History, record: Record): void {
    if (record.value === null || history.repeats) history.candidates.push(record);
    else history.byValue.set(record.value, record);
  }

  #violate(kind: ViolationKind, key: string, reader: string, read: Answer, beganMs: number, against: Mark): void {
    this.#options.onViolation({
      kind,
      key,
      reader,
      read,
      against: { version: against.version, value: against.value },
      beganMs,
      endedMs: this.#options.nowMs(),
      againstMs: against.atMs || undefined,
    });
  }

  #history(key: string): History {
    const history = this.#keys.get(key);
    if (!history) throw new Error(`Nobody opened the key ${key}.`);
    return history;
  }
}
