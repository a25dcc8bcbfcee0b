// The door of the server room.
export { CannotListen } from './errors.js';
export type { Example } from './example.js';
export { exampleOperations } from './examples.js';
export type { Arrival } from './graphql-route.js';
export type { Readiness } from './health.js';
export { type Logger, makeLogger } from './log.js';
export { type RunningServer, type ServerOptions, startServer } from './server.js';
