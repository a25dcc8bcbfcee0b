// Documents that have come before: their trees, or what was wrong with them, and the plans of the queries in those that
// are valid. Bounded as the trees are: with a tree go its plans.

import {
  type DocumentNode,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  OperationTypeNode,
  validate,
} from 'graphql';
import { type DocumentOptions, documentCache, parseDocument } from './document.js';
import type { Exchange } from './exchange.js';
import { QueryPlan } from './execute-plan.js';
import { variablesOf } from './execute-values.js';

/** A query that may be carried out. */
export interface KnownQuery {
  readonly tree: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly plan: QueryPlan;
  /** The variables as the operation declares them; undefined where those that are given are none. */
  readonly variablesOf: ReturnType<typeof variablesOf>;
}

export class KnownDocuments {
  /** By text. */
  readonly caches = documentCache();
  readonly #schema: GraphQLSchema;
  readonly #options: DocumentOptions;
  readonly #queries = new WeakMap<DocumentNode, Map<OperationDefinitionNode, KnownQuery>>();
  readonly #faulty = new WeakSet<DocumentNode>();

  constructor(schema: GraphQLSchema, options: DocumentOptions) {
    this.#schema = schema;
    this.#options = options;
  }

  /** The query that `text` holds under `name`; undefined where there is any other operation, none, or a fault. */
  query(text: string, name: string | undefined): KnownQuery | undefined {
    const tree = this.#treeOf(text);
    if (!tree) return undefined;
    const operation = getOperationAST(tree, name);
    if (operation?.operation !== OperationTypeNode.QUERY || !this.#isValid(tree)) return undefined;
    const queries = this.#queries.get(tree) ?? new Map<OperationDefinitionNode, KnownQuery>();
    this.#queries.set(tree, queries);
    const known = queries.get(operation);
    if (known) return known;
    const plan = new QueryPlan(this.#schema, tree, operation);
    const query = { tree, operation, plan, variablesOf: variablesOf(this.#schema, operation) };
    queries.set(operation, query);
    return query;
  }

  #treeOf(text: string): DocumentNode | undefined {
    const { documentCache: trees, errorCache: errors } = this.caches;
    const known = trees.get(text);
    if (known || errors.has(text)) return known;
    try {
      const tree = parseDocument(text, this.#options);
      trees.set(text, tree);
      return tree;
    } catch {
      return undefined; // Yoga finds the same, gives it its form and remembers it
    }
  }

  #isValid(tree: DocumentNode): boolean {
    if (this.#queries.has(tree)) return true;
    if (this.#faulty.has(tree)) return false;
    const isValid = validate(this.#schema, tree).length === 0;
    if (!isValid) this.#faulty.add(tree);
    return isValid;
  }
}

/** Tells the log what is run. */
export function nameOperation(exchange: Exchange, operation: OperationDefinitionNode | null | undefined): void {
  exchange.operation = operation?.name?.value.slice(0, 100);
  exchange.operationType = operation?.operation;
}
