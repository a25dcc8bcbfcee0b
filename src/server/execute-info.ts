// Where a field stands, for its resolver and for errors.

import type { GraphQLResolveInfo } from 'graphql';
import type { FieldPlan, QueryPlan } from './execute-plan.js';

export type Path = GraphQLResolveInfo['path'];

/** The place of `field` in an object whose place is `path`. */
export const pathOf = (path: Path | undefined, { key, parentType }: FieldPlan): Path => ({
  prev: path,
  key,
  typename: parentType.name,
});

/** The place of the field that a value at `path` belongs to: items of lists have no type around them. */
export function fieldPathOf(path: Path): Path {
  let place = path;
  while (place.typename === undefined && place.prev) place = place.prev;
  return place;
}

/** What a resolver may ask about its field. All of it is looked up when it is asked for. */
export class FieldInfo implements GraphQLResolveInfo {
  readonly #plan: QueryPlan;
  readonly #field: FieldPlan;
  readonly #parent: Path | undefined;
  readonly #variables: Readonly<Record<string, unknown>>;

  constructor(
    plan: QueryPlan,
    field: FieldPlan,
    parent: Path | undefined,
    variables: Readonly<Record<string, unknown>>,
  ) {
    this.#plan = plan;
    this.#field = field;
    this.#parent = parent;
    this.#variables = variables;
  }

  get fieldName() {
    return this.#field.definition.name;
  }

  get fieldNodes() {
    return this.#field.nodes;
  }

  get returnType() {
    return this.#field.definition.type;
  }

  get parentType() {
    return this.#field.parentType;
  }

  get path() {
    return pathOf(this.#parent, this.#field);
  }

  get schema() {
    return this.#plan.schema;
  }

  get fragments() {
    return this.#plan.fragments;
  }

  get rootValue() {
    return undefined;
  }

  get operation() {
    return this.#plan.operation;
  }

  get variableValues() {
    return this.#variables;
  }
}
