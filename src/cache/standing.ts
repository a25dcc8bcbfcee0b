// Whether what was read before still stands. An answer made from entries may be given again only after the store has
// said, asked anew, that each of them stands unfenced at the version that was read: everything asked in one turn of the
// event loop goes together. No value is moved, and nothing is assumed.
import type { Clock } from './clock.js';
import type { Events } from './events.js';
import type { Floors } from './floors.js';
import type { Guard, Guarded, GuardedPartition, Store } from './store.js';
import type { Trust } from './trust.js';
import type { EntryRef } from './view.js';

/** One entry that was read out of the store, and under which guard. */
export interface Ground extends EntryRef {
  readonly version: string;
  /** Of the very value: one that was dropped does not stand again by having been filled again. */
  readonly stamp: string;
  readonly partition: number;
  readonly guard: Guard;
  /** From this moment of the engine's clock on a reader has to meet the entry itself, so that it is kept warm. */
  readonly dueMs: number;
}

export interface StandingOptions {
  readonly store: Pick<Store, 'standing'>;
  readonly trust: Pick<Trust, 'guardForReads' | 'believed'>;
  readonly floors: Pick<Floors, 'of'>;
  readonly clock: Clock;
  readonly events: Events;
}

export interface StandingStats {
  /** Answers that stood. */
  readonly stood: number;
  /** Answers of which something was not certain, or no longer so. */
  readonly fell: number;
}

/** Hears whether all of it stands. */
export type TellStanding = (stands: boolean) => void;

/** All who ask about the same grounds before they are sent. */
interface Question {
  readonly grounds: readonly Ground[];
  /** Of each ground, among what is asked of its partition. */
  readonly places: number[];
  /** When each of them has asked. */
  readonly askedMs: number[];
  readonly tells: TellStanding[];
}

/** What is asked of one partition, each entry once. */
interface Batch extends GuardedPartition {
  readonly items: EntryRef[];
  /** By view and key. */
  readonly places: Map<string, Map<string, number>>;
  stamps: readonly (string | undefined)[] | undefined;
}

export class Standing {
  readonly #options: StandingOptions;
  #waiting: Map<readonly Ground[], Question> | undefined;
  #stood = 0;
  #fell = 0;

  constructor(options: StandingOptions) {
    this.#options = options;
  }

  get stats(): StandingStats {
    return { stood: this.#stood, fell: this.#fell };
  }

  /** The same as `ask`, by a promise that never rejects. */
  stand(grounds: readonly Ground[]): Promise<boolean> {
    return new Promise((resolve) => this.ask(grounds, resolve));
  }

  /**
   * Tells whether all of `grounds` stand at a moment after this call, as certainly as if they were read; at once where that
   * needs no question. Never throws: in doubt it is false, and the caller reads.
   */
  ask(grounds: readonly Ground[], tell: TellStanding): void {
    const startedMs = this.#options.clock.nowMs();
    for (const ground of grounds) {
      if (this.#mayStand(ground, startedMs)) continue;
      this.#fell++;
      tell(false);
      return;
    }
    const waiting = this.#questions();
    let question = waiting.get(grounds);
    if (!question) {
      question = { grounds, places: [], askedMs: [], tells: [] };
      waiting.set(grounds, question);
    }
    question.askedMs.push(startedMs);
    question.tells.push(tell);
  }

  /** What can be known before the store is asked. */
  #mayStand({ view, key, version, dueMs }: Ground, nowMs: number): boolean {
    const told = this.#options.floors.of(view, key);
    return nowMs < dueMs && (told === undefined || BigInt(version) >= told);
  }

  /** Those that are not sent yet: no other may be joined. */
  #questions(): Map<readonly Ground[], Question> {
    if (!this.#waiting) {
      this.#waiting = new Map();
      this.#options.clock.defer(() => {
        const questions = this.#waiting?.values() ?? [];
        this.#waiting = undefined;
        this.#send([...questions]);
      });
    }
    return this.#waiting;
  }

  #send(questions: readonly Question[]): void {
    const batches = new Map<number, Batch>();
    const asked = questions.filter((question) => this.#put(question, batches));
    if (asked.length === 0) {
      this.#answerAll(questions, () => false);
      return;
    }
    const all = [...batches.values()];
    this.#options.store.standing(all).then(
      (replies) => {
        const areBelieved = this.#learn(all, replies);
        this.#answerAll(questions, (question) => areBelieved && isStanding(question, batches));
      },
      () => this.#answerAll(questions, () => false), // nobody is told that anything stands
    );
  }

  /** False where it failed. */
  #learn(batches: readonly Batch[], replies: readonly Guarded<string | undefined>[]): boolean {
    try {
      const believed = this.#options.trust.believed(batches, replies);
      batches.forEach((batch, at) => {
        batch.stamps = believed[at];
      });
      return true;
    } catch {
      return false;
    }
  }

  #answerAll(questions: readonly Question[], stands: (question: Question) => boolean): void {
    for (const question of questions) this.#answer(question, stands(question));
  }

  /** Adds what is to be asked; false where something was read under a guard that is not in force any more. */
  #put({ grounds, places }: Question, batches: Map<number, Batch>): boolean {
    const { trust } = this.#options;
    for (const ground of grounds) {
      const { partition, guard } = ground;
      let batch = batches.get(partition);
      if ((batch ? batch.guard : trust.guardForReads(partition)) !== guard) return false;
      if (!batch) {
        batch = { partition, guard, items: [], places: new Map(), stamps: undefined };
        batches.set(partition, batch);
      }
      places.push(placeIn(batch, ground));
    }
    return true;
  }

  #answer({ grounds, askedMs, tells }: Question, stands: boolean): void {
    const { clock, events } = this.#options;
    if (stands) {
      const nowMs = clock.nowMs();
      this.#stood += askedMs.length;
      for (const startedMs of askedMs) {
        for (const { view, key } of grounds) events.emit({ kind: 'hit', view, key, ms: nowMs - startedMs });
      }
    } else this.#fell += askedMs.length;
    for (const tell of tells) {
      try {
        tell(stands);
      } catch (error) {
        events.emit({ kind: 'failing', part: 'standing', error }); // the others are to hear it too
      }
    }
  }
}

/** Where `ground` is asked for in `batch`, from now on if it was not. */
function placeIn({ items, places }: Batch, ground: Ground): number {
  const { view, key } = ground;
  let ofView = places.get(view);
  if (!ofView) {
    ofView = new Map();
    places.set(view, ofView);
  }
  const known = ofView.get(key);
  if (known !== undefined) return known;
  ofView.set(key, items.length);
  return items.push(ground) - 1;
}

/** Whether all of it was asked for, and the store has told the very stamps. */
function isStanding({ grounds, places }: Question, batches: ReadonlyMap<number, Batch>): boolean {
  return grounds.every(({ partition, stamp }, at) => {
    const place = places[at];
    return place !== undefined && batches.get(partition)?.stamps?.[place] === stamp;
  });
}
