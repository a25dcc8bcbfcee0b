// Which object type a value of an interface or union has, by what its resolver says; and what that may not say.

import {
  defaultTypeResolver,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import { inspect } from 'graphql/jsutils/inspect.js';
import type { FieldPlan } from './execute-plan.js';

/** The name of the type of `value`, or the promise of it. */
export function runtimeTypeOf(
  type: GraphQLAbstractType,
  value: unknown,
  context: unknown,
  info: GraphQLResolveInfo,
): unknown {
  return (type.resolveType ?? defaultTypeResolver)(value, context, info, type);
}

/** The type called `name`. @throws {GraphQLError} when it is none that a value of `abstract` may have. */
export function requireType(
  name: unknown,
  abstract: GraphQLAbstractType,
  { parentType, definition, nodes }: FieldPlan,
  value: unknown,
  schema: GraphQLSchema,
): GraphQLObjectType {
  const type = typeof name === 'string' ? schema.getType(name) : undefined;
  if (isObjectType(type) && schema.isSubType(abstract, type)) return type;
  const field = `${parentType.name}.${definition.name}`;
  const told = `Abstract type "${abstract.name}"`;
  if (name === undefined || name === null) {
    const sentence =
      `${told} must resolve to an Object type at runtime for field "${field}". Either the "${abstract.name}" type should ` +
      'provide a "resolveType" function or each possible type should provide an "isTypeOf" function.';
    throw new GraphQLError(sentence, { nodes });
  }
  if (isObjectType(name)) {
    throw new GraphQLError(
      'Support for returning GraphQLObjectType from resolveType was removed in graphql-js@16.0.0 please return type name instead.',
    );
  }
  if (typeof name !== 'string') {
    throw new GraphQLError(
      `${told} must resolve to an Object type at runtime for field "${field}" with value ${inspect(value)}, received "${inspect(name)}".`,
    );
  }
  if (!type) {
    throw new GraphQLError(`${told} was resolved to a type "${name}" that does not exist inside the schema.`, {
      nodes,
    });
  }
  if (!isObjectType(type)) {
    throw new GraphQLError(`${told} was resolved to a non-object type "${name}".`, { nodes });
  }
  throw new GraphQLError(`Runtime Object type "${type.name}" is not a possible type for "${abstract.name}".`, {
    nodes,
  });
}
