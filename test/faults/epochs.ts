// When epochs were replaced. From the closing of one until the last gateway has heard of it, some gateways read the store
// and others SQL, so that an older answer may follow a newer one; at any other time that is a violation.
import type postgres from 'postgres';
import { pause } from './traffic.js';

/** A gateway believes an epoch for as long as its lease lasts; then its answer is on its way. */
const BELIEVED_MS = 4_000;
const LOOK_EVERY_MS = 50;
/** What takes longer is not waited for. */
const LOOK_MS = 3_000;

interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

export class Epochs {
  readonly #sql: () => postgres.Sql;
  /** Between two looks that tell of different epochs, or of closed ones. */
  readonly #replaced: Span[] = [];
  #last = '';
  /** When the last look that was answered began. */
  #lookedMs = 0;
  #ended = false;

  constructor(sql: () => postgres.Sql) {
    this.#sql = sql;
  }

  /** Looks again and again, until `end`. */
  async watch(): Promise<void> {
    while (!this.#ended) {
      const beganMs = performance.now();
      const row = await Promise.race([this.#look(), pause(LOOK_MS).then(() => undefined)]);
      if (row) {
        const replaced = this.#last !== '' && (row.epochs !== this.#last || !row.open);
        if (replaced) this.#replaced.push({ fromMs: this.#lookedMs, untilMs: performance.now() });
        this.#last = row.epochs;
        this.#lookedMs = beganMs;
      }
      await pause(LOOK_EVERY_MS);
    }
  }

  async #look(): Promise<{ epochs: string; open: boolean } | undefined> {
    const rows = await this.#sql()<{ epochs: string; open: boolean }[]>`
      SELECT sum(epoch)::text AS epochs, bool_and(open) AS open FROM entry_partition`.catch(() => []);
    return rows[0];
  }

  end(): void {
    this.#ended = true;
  }

  /** Whether a read in this span may have been answered under an epoch that others knew to be closed. */
  async explains({ fromMs, untilMs }: Span): Promise<boolean> {
    while (!this.#ended && this.#lookedMs < untilMs) await pause(LOOK_EVERY_MS);
    return this.#replaced.some((one) => one.untilMs >= fromMs - BELIEVED_MS && one.fromMs <= untilMs);
  }
}
