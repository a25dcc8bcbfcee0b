// What an operation is charged for, asked before it runs.

import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import type { DocumentOptions } from './document.js';
import type { GraphQLRequest } from './graphql-request.js';
import { costOf } from './operation-cost.js';
import { rootFieldsOf } from './operation-fields.js';
import { Refusal } from './refusal.js';

export interface Weight {
  readonly cost: number;
  /** How often it names each root field. */
  readonly rootFields: ReadonlyMap<string, number>;
}

export interface WeigherOptions<Caller extends object> {
  readonly schema: GraphQLSchema;
  readonly documents: DocumentOptions;
  /** Asked before an operation runs: what it costs, and how often it names each root field. @throws {Refusal} to turn it away. */
  readonly admit: (
    request: GraphQLRequest<Caller>,
    cost: number,
    rootFields: ReadonlyMap<string, number>,
  ) => Promise<void> | undefined;
}

export type Weigh<Caller extends object> = (
  request: GraphQLRequest<Caller>,
  tree: DocumentNode,
  operation: OperationDefinitionNode,
) => Promise<Weight>;

/** Weighs valid operations and has them admitted. What it gives throws a {@link Refusal} at one that may not run. */
export function weigher<Caller extends object>({
  schema,
  documents: { limits },
  admit,
}: WeigherOptions<Caller>): Weigh<Caller> {
  return async (request, tree, operation) => {
    const cost = costOf({ schema, tree, operation, variables: request.params.variables ?? {} });
    if (cost > limits.cost) {
      const sentence = `The operation may answer with ${cost} objects, of which ${limits.cost} are taken; ask for shorter pages.`;
      throw new Refusal('LIMIT_EXCEEDED', sentence, { status: 400 });
    }
    const rootFields = rootFieldsOf(tree, operation);
    const admitted = admit(request, cost, rootFields);
    if (admitted) await admitted;
    return { cost, rootFields };
  };
}
