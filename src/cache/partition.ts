// Which hash-tag partition an entry lives in. The triggers in Postgres compute the same.
import { createHash } from 'node:crypto';

/** Two bytes of SHA-256 over `view:key`, modulo the partition count. */
export function partitionOf(view: string, key: string, partitions: number): number {
  return createHash('sha256').update(`${view}:${key}`).digest().readUInt16BE(0) % partitions;
}
