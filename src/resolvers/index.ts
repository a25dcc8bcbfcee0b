// The door of the resolvers' room.
export { type Act, perform } from './act.js';
export { AuditSealer, headOf } from './audit-sealer.js';
export { type AuditFault, type AuditReport, verifyAuditLog } from './audit-verify.js';
export * from './bank-statement.js';
export * from './business-date.js';
export * from './cache-policy.js';
export * from './cache-status.js';
export * from './cache-upkeep.js';
export * from './change.js';
export { type Context, contextOfViewer, hasScope, NOBODY, type Services, type Viewer } from './context.js';
export { type Connection, type CursorKey, pageSize } from './cursor.js';
export { issueDemoTokens, loadDemoData } from './demo.js';
export { EnvelopeDamaged, ForeignMasterKey, type MasterKey, masterKeyOf } from './envelope.js';
export {
  BadRequest,
  Conflict,
  Forbidden,
  Invalid,
  KeyReused,
  NotFound,
  RateLimited,
  Unauthenticated,
} from './errors.js';
export * from './flag.js';
export * from './flag-environment.js';
export * from './flag-evaluation.js';
export { remoteFlags } from './flag-remote.js';
export { listStaleFlags, type StaleFlag } from './flag-stale.js';
export * from './flag-write.js';
export { globalId, parseGlobalId } from './global-id.js';
export { forgetExpiredKeys } from './idempotency-expiry.js';
export type { Maybe, PageArgs } from './input.js';
export { type Json, type JsonObject, jsonFault, MAX_JSON_BYTES, MAX_JSON_LEVELS } from './json-limits.js';
export { contextOfEvent, type Stream, Told } from './live.js';
export * from './menu.js';
export type { MenuItemInput } from './menu-item.js';
export { flatten, type MenuDocument, type MenuItem, type MenuItemDefinition } from './menu-tree.js';
export { formatDecimal } from './money.js';
export * from './posting.js';
export type { TransactionInput } from './posting-input.js';
export { restateBusinessDay } from './posting-restate.js';
export { Repetition, type Terms } from './repetition.js';
export * from './scopes.js';
export * from './secret.js';
export { countLocked } from './secret-rekey.js';
export { revealSecret } from './secret-reveal.js';
export { destroySecretVersion, restoreSecret } from './secret-version.js';
export * from './security-list.js';
export * from './security-parameter.js';
export type { SecretVersion, SecurityValue } from './security-record.js';
export * from './security-value.js';
export * from './subscription.js';
export * from './token.js';
export { digestOf, isSecret, makeSecret, prefixOf } from './token-secret.js';
export { TokenUses } from './token-uses.js';
export * from './token-write.js';
export { views } from './views.js';
export type { Receipt, WriteOptions } from './write.js';
