// The door of the cache room.
export { Cache, type CacheOptions, type CacheStatus } from './cache.js';
export { type Clock, systemClock } from './clock.js';
export { CacheUnavailable, UnknownView } from './errors.js';
export type { CacheEvent, Events, Listener } from './events.js';
export { memoryStore } from './memory-store.js';
export { partitionOf } from './partition.js';
export { JITTER, type TtlOverrides } from './policy.js';
export type { ChangeBatch, ChangedEntry, ChangeLog, PartitionRow } from './ports.js';
export { connectRedis, examineRedis, type RedisConnections, UnsuitableRedis } from './redis-connection.js';
export { redisStore } from './redis-store.js';
export type { Present, Reading, RequestCache, Rows, TraceEntry } from './request.js';
export type { EntryFacts, Page, Store } from './store.js';
export {
  type AnyView,
  type EntryRef,
  fieldOf,
  type ListView,
  type Loaded,
  printedKey,
  rootOf,
  type Shape,
  type TextView,
} from './view.js';
export type { Committed, Fenced } from './writer.js';
