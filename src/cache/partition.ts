// Which hash-tag partition an entry lives in. The triggers in Postgres compute the same.
import { hash } from 'node:crypto';

/** Two bytes of SHA-256 over `view:key`, modulo the partition count. */
export function partitionOf(view: string, key: string, partitions: number): number {
  return Number.parseInt(hash('sha256', `${view}:${key}`).slice(0, 4), 16) % partitions;
}
