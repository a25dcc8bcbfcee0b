// What runs GraphQL requests is given, and what comes of each.

import type { ExecutionResult } from 'graphql';
import type { GraphQLRequest } from './graphql-request.js';
import type { ErrorPolicy } from './shown-error.js';
import type { Streams } from './streams.js';
import type { WeigherOptions, Weight } from './weight.js';

export interface EngineOptions<Caller extends object> extends WeigherOptions<Caller> {
  /** What the caller's operation has read, told when the request asks. */
  readonly traceOf: (caller: Caller) => readonly object[];
  readonly errors: ErrorPolicy;
  readonly streams: Streams;
  /** The caller whom an event of a subscription is executed for; undefined for the one who subscribed. */
  readonly callerOfEvent: (event: unknown) => Caller | undefined;
}

export type Answer =
  | {
      readonly kind: 'whole';
      readonly status: number;
      readonly headers: readonly (readonly [name: string, value: string])[];
      readonly body: string;
      readonly faultless: boolean;
      /** Undefined where nothing was executed. */
      readonly weight: Weight | undefined;
    }
  | { readonly kind: 'stream'; readonly results: AsyncIterable<ExecutionResult> };

export interface Engine<Caller extends object> {
  readonly run: (request: GraphQLRequest<Caller>) => Promise<Answer>;
}
