// How far the relay has come in each partition. A cursor counts only once the WAL that it saw is on disk: a crash of
// Postgres may undo what was not, and give its transaction ids to others.
import type { ChangeBatch } from './ports.js';
import type { Guard, GuardedPartition } from './store.js';

/** Where one partition stands. */
export interface Position {
  readonly guard: Guard;
  /** As the store has it. */
  stored: string;
  /** Applied, and its WAL on disk: no crash of Postgres undoes it. The next look continues from here. */
  durable: string;
  /** Applied, but a crash may still undo what it saw. */
  candidate?: { readonly cursor: string; readonly lsn: bigint };
  movedAtMs: number;
}

export class Positions extends Map<number, Position> {
  /** Partitions by the cursor that the next look at them continues from: all of them, or these only. */
  byCursor(only?: ReadonlySet<number>): Map<string, number[]> {
    const groups = new Map<string, number[]>();
    for (const [partition, { durable }] of this) {
      if (only && !only.has(partition)) continue;
      groups.set(durable, [...(groups.get(durable) ?? []), partition]);
    }
    return groups;
  }

  /** Partitions with the guards that they stand under: all of them, or these only. */
  standing(only?: ReadonlySet<number>): GuardedPartition[] {
    const all = [...this].map(([partition, { guard }]) => ({ partition, guard }));
    return only ? all.filter(({ partition }) => only.has(partition)) : all;
  }

  /** Moves on to what is certain to be on disk: this look, or an earlier one that had to wait for it. */
  settle({ cursor, insertedLsn, flushedLsn }: ChangeBatch, partitions: readonly number[]): void {
    for (const partition of partitions) {
      const position = this.get(partition);
      if (!position) continue;
      const { candidate } = position;
      if (flushedLsn >= insertedLsn) position.durable = cursor;
      else if (candidate && flushedLsn >= candidate.lsn) position.durable = candidate.cursor;
      if (flushedLsn >= (candidate?.lsn ?? 0n)) delete position.candidate;
      if (flushedLsn < insertedLsn) position.candidate ??= { cursor, lsn: insertedLsn };
    }
  }

  /** What is not known to be on disk may have been undone. */
  doubt(): void {
    for (const position of this.values()) delete position.candidate;
  }
}
