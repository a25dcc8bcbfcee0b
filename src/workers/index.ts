// The door of the workers' room: several processes of this program, started, asked and ended as one.

export { WorkerFailed } from './errors.js';
export type { Answering } from './link.js';
export type { Patience } from './patience.js';
export { Pool, type PoolOptions, type Reply } from './pool.js';
export { type Employment, takeUp } from './worker.js';
