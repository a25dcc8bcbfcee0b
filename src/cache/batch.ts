// Collects what is asked for during one turn of the event loop and hands it on at once. A question may join another
// only until the batch is sent: an answer that was already on its way may be older than a write acknowledged since.
import type { Clock } from './clock.js';

/** Joins equal questions of one turn; `send` gets each one once, after the turn. */
export class TurnBatch<Question, Answer> {
  readonly #clock: Pick<Clock, 'defer'>;
  readonly #send: (asked: ReadonlyMap<string, Asked<Question, Answer>>) => void;
  #waiting: Map<string, Asked<Question, Answer>> | undefined;

  constructor(clock: Pick<Clock, 'defer'>, send: (asked: ReadonlyMap<string, Asked<Question, Answer>>) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** The answer to `question`, shared with everyone who asks for the same `name` before the batch is sent. */
  ask(name: string, question: Question): Asked<Question, Answer> {
    if (!this.#waiting) {
      this.#waiting = new Map();
      this.#clock.defer(() => {
        const asked = this.#waiting;
        this.#waiting = undefined;
        if (asked) this.#send(asked);
      });
    }
    const joined = this.#waiting.get(name);
    if (joined) return joined;
    const asked = new Asked<Question, Answer>(question);
    this.#waiting.set(name, asked);
    return asked;
  }
}

/** A question and the promise of its answer. */
export class Asked<Question, Answer> {
  readonly question: Question;
  readonly answer: Promise<Answer>;
  resolve: (answer: Answer) => void = () => {};
  reject: (error: unknown) => void = () => {};

  constructor(question: Question) {
    this.question = question;
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}
