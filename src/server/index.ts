// The door of the server room.
export { networksOf } from './address.js';
export type { Arrival } from './arrival.js';
export type { Meter, Standing } from './door.js';
export { CannotListen } from './errors.js';
export type { Example } from './example.js';
export { exampleOperations } from './examples.js';
export type { Readiness } from './health.js';
export { type Logger, makeLogger } from './log.js';
export { metricsText, type Sample } from './metrics.js';
export { type Operations, startOperations } from './operations.js';
export { ALONE } from './rate-limit.js';
export { type RunningServer, type ServerOptions, startServer, type Work } from './server.js';
export { readManifest, type TrustedDocuments, UnusableManifest } from './trusted-documents.js';
