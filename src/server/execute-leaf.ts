// Leaf values in the form of the answer. Of the common scalars, a value that has its form already stays as it is.

import { GraphQLBoolean, GraphQLID, GraphQLInt, type GraphQLLeafType, GraphQLString } from 'graphql';
import { inspect } from 'graphql/jsutils/inspect.js';

/** Turns a value that is not null into its form in the answer; throws what `type` throws, or where nothing comes of it. */
export function serializerOf(type: GraphQLLeafType): (value: unknown) => unknown {
  const serialize = (value: unknown): unknown => {
    const serialized = type.serialize(value);
    if (serialized !== null && serialized !== undefined) return serialized;
    throw new Error(
      `Expected \`${inspect(type)}.serialize(${inspect(value)})\` to return non-nullable value, returned: ${inspect(serialized)}`,
    );
  };
  if (type === GraphQLString || type === GraphQLID) {
    return (value) => (typeof value === 'string' ? value : serialize(value));
  }
  if (type === GraphQLBoolean) return (value) => (typeof value === 'boolean' ? value : serialize(value));
  if (type === GraphQLInt) return (value) => (isInt(value) ? value : serialize(value));
  return serialize;
}

const isInt = (value: unknown): boolean => typeof value === 'number' && (value | 0) === value;
