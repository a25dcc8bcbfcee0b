// The door of the database room.
export {
  countUnsealed,
  findLastSeal,
  findLoggedChanges,
  findNewestPlace,
  findSeals,
  findWriters,
  insertSeal,
  type LoggedChange,
  mayAddSeal,
  type Seal,
} from './audit-seal.js';
export { type AuditSigner, auditSigner, CHANGE_TAG_BYTES, isSameTag, type SealContent } from './audit-signer.js';
export * from './bank-statement.js';
export * from './business-day.js';
export * from './cache-policy.js';
export * from './change.js';
export { type ChangeLogRow, openChangeLog, type PostgresChangeLog } from './change-log.js';
export {
  type Connection,
  type ConnectionOptions,
  connect,
  type Db,
  isReachable,
  type Query,
  type Reader,
  type Tx,
  txQuery,
} from './connection.js';
export {
  DatabaseError,
  DatabaseUnavailable,
  isWriteToLostSocket,
  withDeadline,
  withoutParameters,
} from './errors.js';
export * from './flag.js';
export * from './flag-use.js';
export {
  findInstallation,
  gatewaysAreAlive,
  HEARTBEAT_LIFE_MS,
  type Installation,
  waitForBarrier,
} from './gateway.js';
export { claimKey, deleteExpiredKeys, keepAnswer } from './idempotency.js';
export { countLiveEntries, findLiveKeys, type LoadedEntry } from './load.js';
export * from './menu.js';
export { migrate } from './migrate.js';
export { closeForWrite, type GatewayIdentity, type PartitionEpoch } from './partition.js';
export { type ChangedRoot, changedRoots, type LockedRoot, lockRoots, type Root } from './root.js';
export * from './secret.js';
export * from './secret-allowance.js';
export * from './secret-rekey.js';
export * from './security-list.js';
export * from './security-value.js';
export * from './security-value-listing.js';
export { claimStore } from './store-claim.js';
export * from './token.js';
export { inTransaction, repeated } from './transaction.js';
