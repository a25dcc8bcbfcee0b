// The door of the cache room.
export { type Allowances, redisAllowances } from './allowance.js';
export { Cache, type CacheOptions } from './cache.js';
export type { Change, ChangeStream, Interest } from './change-stream.js';
export { type Clock, systemClock } from './clock.js';
export type { ConcurrencyLimits } from './concurrency.js';
export { CacheUnavailable, FeedInterrupted, Overloaded, UnknownView } from './errors.js';
export type { CacheEvent, Events, Listener } from './events.js';
export type { ChangeFeed } from './feed.js';
export { memoryStore } from './memory-store.js';
export { GroundPacker, type PackedGrounds } from './packed-grounds.js';
export type { MemberChange, Part } from './part.js';
export { partitionOf } from './partition.js';
export { JITTER, type RuntimeTtls, type TtlOverrides, type ViewPolicy } from './policy.js';
export type { ChangeBatch, ChangedEntry, ChangeLog, PartitionRow } from './ports.js';
export type { Fields, Membership, Present, Reading, Rows, TraceEntry } from './reading.js';
export { connectRedis, examineRedis, type RedisConnections, UnsuitableRedis } from './redis-connection.js';
export { redisStore } from './redis-store.js';
export type { RequestCache } from './request.js';
export { COMPARED_SHARE } from './spot-check.js';
export type { Ground } from './standing.js';
export type { CacheStatus } from './stats.js';
export type { EntryFacts, Store } from './store.js';
export { keysPerBatch } from './upkeep.js';
export type { Difference, Verified } from './verify.js';
export { verifyBeside } from './verify-visit.js';
export {
  type AnyView,
  type EntryRef,
  fieldOf,
  type HashView,
  type ListView,
  type Loaded,
  printedKey,
  rootOf,
  type SetView,
  type Shape,
  type TextView,
} from './view.js';
export { type Visit, visit } from './visit.js';
export type { Committed, Delta, Fenced } from './writer.js';
