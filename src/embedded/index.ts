// The door of the room: the private servers of a development start.

export { EmbeddedUnavailable, HomeInUse, HomeUnusable, ServerFailed } from './errors.js';
export { type Embedded, type EmbeddedRedis, openEmbedded, type Where } from './open.js';
export { attachEmbedded, type RunInfo } from './run.js';
export { loadOrCreateSecret, type SecretName } from './secret.js';
