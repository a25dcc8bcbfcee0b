// The list of gateways in a real Postgres, which tells who is alive in the schedule's time; and which epochs were opened
// lately in that time.
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { HEARTBEAT_LIFE_MS } from '../../src/db/gateway.js';

/** As `partitions_close` has it. */
const OPENING_MS = 3_000;

interface Beat {
  readonly atMs: number;
  /** What the list says; undefined where that was said by a look. */
  shown: boolean | undefined;
}

export class AliveList {
  readonly #client: postgres.Sql;
  readonly #nowMs: () => number;
  readonly #ids = new Map<string, string>();
  readonly #beats = new Map<string, Beat>();
  readonly #openings = new Map<number, number>();

  constructor(client: postgres.Sql, nowMs: () => number) {
    this.#client = client;
    this.#nowMs = nowMs;
  }

  /** The id under which a gateway is on the list. */
  idOf(name: string): string {
    const id = this.#ids.get(name) ?? randomUUID();
    this.#ids.set(name, id);
    return id;
  }

  /** The gateway looks now; gives its id. */
  looks(name: string): string {
    const id = this.idOf(name);
    this.#beats.set(id, { atMs: this.#nowMs(), shown: undefined });
    return id;
  }

  /** The partition was opened now. */
  opened(partition: number): void {
    this.#openings.set(partition, this.#nowMs());
  }

  /** Brings the list up to date, before somebody relies on it. */
  async refresh(): Promise<void> {
    const now = this.#nowMs();
    const old = [...this.#openings].filter(([, atMs]) => now - atMs >= OPENING_MS).map(([partition]) => partition);
    for (const partition of old) this.#openings.delete(partition);
    if (old.length > 0)
      await this.#client`UPDATE entry_partition SET opened_at = NULL WHERE partition IN (
        SELECT partition FROM entry_partition WHERE partition = ANY (${old}) AND open FOR UPDATE SKIP LOCKED)`;
    const isAlive = ({ atMs }: Beat) => now - atMs < HEARTBEAT_LIFE_MS;
    const changed = [...this.#beats].filter(([, beat]) => beat.shown !== isAlive(beat));
    if (changed.length === 0) return;
    for (const [, beat] of changed) beat.shown = isAlive(beat);
    const until = Object.fromEntries(changed.map(([id, { shown }]) => [id, shown ? 'infinity' : '-infinity']));
    await this.#client`UPDATE gateway SET alive_until = until::timestamptz
      FROM json_each_text(${JSON.stringify(until)}::text::json) AS seen (id, until) WHERE gateway.id = seen.id::uuid`;
  }
}
