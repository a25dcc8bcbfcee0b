// How much one request may ask for, and one caller at a time. Each guard takes its number from here.

export interface Limits {
  /** Bytes of all headers together. */
  readonly headers: number;
  readonly accept: number;
  readonly authorization: number;
  /** Bytes of a body. */
  readonly body: number;
  /** Bytes of a body of somebody who may write. */
  readonly writerBody: number;
  /** Words and signs of a document. */
  readonly tokens: number;
  /** Fields inside each other. */
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
  readonly rootFields: number;
  /** Objects that an operation may answer with, by its own page sizes. */
  readonly cost: number;
  /** Characters of one string. */
  readonly string: number;
  /** From a whole request to its answer. */
  readonly deadlineMs: number;
  readonly headersMs: number;
  /** For a request to arrive whole. */
  readonly requestMs: number;
  /** Open in one process. */
  readonly subscriptions: number;
  readonly subscriptionsPerCaller: number;
  /** Requests at work in one process that ask the stores; those that wait in line are not. */
  readonly inFlight: number;
}

export const defaultLimits: Limits = {
  headers: 16_384,
  accept: 256, // browsers send about 140
  authorization: 1_024,
  body: 100_000,
  writerBody: 1_000_000,
  tokens: 1_000, // the introspection query of GraphiQL has 170
  depth: 12,
  aliases: 15,
  directives: 50,
  rootFields: 20,
  cost: 5_000,
  string: 65_536,
  deadlineMs: 5_000,
  headersMs: 10_000,
  requestMs: 30_000,
  subscriptions: 100, // each takes a connection, and reads at every event
  subscriptionsPerCaller: 5,
  inFlight: 500,
};
