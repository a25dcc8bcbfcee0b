// Bounds how much is asked of SQL at once, as when a cold or lost store answers nobody. What finds no place waits in the
// line of its view, where readers who come later still join it: nothing of it is sent yet. Lines take turns; and what
// would stand in too long a line, or in line for too long, is refused rather than kept from its reader.
import { Asked } from './batch.js';
import type { Clock } from './clock.js';
import { Overloaded } from './errors.js';

export interface ConcurrencyLimits {
  /** Batches under way at a time. */
  readonly underWay: number;
  /** Questions that wait to be sent, in all lines together. */
  readonly waiting: number;
  readonly waitMs: number;
}

/** As many statements as the read pool has connections; the rest is what a caller has patience for. */
export const DEFAULT_LIMITS: ConcurrencyLimits = { underWay: 8, waiting: 10_000, waitMs: 2_000 };

export interface BoundedBatchesOptions<Line, Question, Answer> {
  readonly limits: ConcurrencyLimits;
  readonly clock: Clock;
  readonly questionsPerBatch: number;
  /** Sends questions of one line; their place is free again once it resolves. Never rejects. */
  readonly send: (line: Line, asked: readonly Asked<Question, Answer>[]) => Promise<void>;
  /** Hears of what was refused; whoever asked knows already. */
  readonly refused: (line: Line, question: Question) => void;
}

interface Waiting<Line, Question, Answer> {
  readonly line: Line;
  /** The first has waited longest. */
  readonly questions: Map<string, { readonly asked: Asked<Question, Answer>; readonly sinceMs: number }>;
}

/** Batches of questions, by line: at most `underWay` are sent at a time, and none before its turn of the loop is over. */
export class BoundedBatches<Line extends { readonly name: string }, Question, Answer> {
  readonly #options: BoundedBatchesOptions<Line, Question, Answer>;
  /** Lines in which somebody waits; the first is the next to be served. */
  readonly #lines = new Map<string, Waiting<Line, Question, Answer>>();
  #waiting = 0;
  #underWay = 0;
  #serving = false;
  #expiring = false;

  constructor(options: BoundedBatchesOptions<Line, Question, Answer>) {
    this.#options = options;
  }

  /**
   * The answer to `question`, shared with everyone who asks `line` for the same `name` before it is sent. Rejects with
   * `Overloaded` where it waits for too long, or is one too many.
   */
  ask(line: Line, name: string, question: Question): Asked<Question, Answer> {
    const own = this.#lines.get(line.name) ?? { line, questions: new Map() };
    const joined = own.questions.get(name);
    if (joined) return joined.asked;
    const asked = new Asked<Question, Answer>(question);
    if (this.#waiting >= this.#options.limits.waiting && !this.#makeRoom(own)) {
      this.#refuse(line, asked, 'full');
      return asked;
    }
    this.#lines.set(line.name, own);
    own.questions.set(name, { asked, sinceMs: this.#options.clock.nowMs() });
    this.#waiting++;
    this.#serveAfterThisTurn();
    return asked;
  }

  #serveAfterThisTurn(): void {
    if (this.#serving) return;
    this.#serving = true;
    this.#options.clock.defer(() => {
      this.#serving = false;
      this.#serve();
    });
  }

  #serve(): void {
    const { limits, send } = this.#options;
    while (this.#underWay < limits.underWay) {
      const [next] = this.#lines.values();
      if (!next) return;
      const asked = this.#take(next);
      this.#underWay++;
      void send(next.line, asked).finally(() => {
        this.#underWay--;
        this.#serveAfterThisTurn();
      });
    }
    if (this.#waiting > 0 && !this.#expiring) void this.#expire();
  }

  /** The first of a line, which goes to the end of all lines with the rest of it. */
  #take({ line, questions }: Waiting<Line, Question, Answer>): Asked<Question, Answer>[] {
    const taken: Asked<Question, Answer>[] = [];
    for (const [name, { asked }] of questions) {
      if (taken.length === this.#options.questionsPerBatch) break;
      questions.delete(name);
      taken.push(asked);
    }
    this.#waiting -= taken.length;
    this.#lines.delete(line.name);
    if (questions.size > 0) this.#lines.set(line.name, { line, questions });
    return taken;
  }

  /** Whoever fills the queue does not keep a shorter line out: the longest one gives up its first, the next to be late. */
  #makeRoom(own: Waiting<Line, Question, Answer>): boolean {
    let longest = own;
    for (const each of this.#lines.values()) if (each.questions.size > longest.questions.size) longest = each;
    if (longest.questions.size <= own.questions.size + 1) return false;
    this.#giveUpFirst(longest, 'full');
    return true;
  }

  async #expire(): Promise<void> {
    const { clock, limits } = this.#options;
    this.#expiring = true;
    while (this.#waiting > 0) {
      let nextMs = Number.POSITIVE_INFINITY;
      for (const line of [...this.#lines.values()]) {
        for (const { sinceMs } of line.questions.values()) {
          const leftMs = sinceMs + limits.waitMs - clock.nowMs();
          nextMs = Math.min(nextMs, leftMs);
          if (leftMs > 0) break;
          this.#giveUpFirst(line, 'late');
        }
      }
      if (nextMs > 0) await clock.sleep(Math.min(nextMs, limits.waitMs));
    }
    this.#expiring = false;
  }

  #giveUpFirst({ line, questions }: Waiting<Line, Question, Answer>, reason: Overloaded['reason']): void {
    const [first] = questions;
    if (!first) return;
    const [name, { asked }] = first;
    questions.delete(name);
    this.#waiting--;
    if (questions.size === 0) this.#lines.delete(line.name);
    this.#refuse(line, asked, reason);
  }

  #refuse(line: Line, asked: Asked<Question, Answer>, reason: Overloaded['reason']): void {
    asked.reject(new Overloaded(reason));
    this.#options.refused(line, asked.question);
  }
}
