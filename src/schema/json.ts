// The scalar JSON: any JSON within the limits of the contract, given as a variable or written out in the document.
import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { type Json, jsonFault, MAX_JSON_BYTES, MAX_JSON_LEVELS } from '../resolvers/index.js';

type Variables = Readonly<Record<string, unknown>> | null | undefined;

export const jsonScalar = new GraphQLScalarType<Json, unknown>({
  name: 'JSON',
  description:
    `At most ${MAX_JSON_BYTES / 1_024} KiB, ${MAX_JSON_LEVELS} levels deep; no NUL, no __proto__. ` +
    'Numbers are 64-bit floating point: write an integer beyond 9007199254740991 as a string.',
  serialize: (value) => value,
  parseValue: checked,
  parseLiteral: (node, variables) => checked(literalValue(node, variables, 0)),
});

function checked(value: unknown): Json {
  if (isJson(value)) return value;
  throw new GraphQLError(`This JSON ${jsonFault(value)}.`, { extensions: { code: 'BAD_REQUEST' } });
}

const isJson = (value: unknown): value is Json => jsonFault(value) === undefined;

/** What a literal says. Deeper than any JSON may be, it says nothing: that it is too deep is found then. */
function literalValue(node: ValueNode, variables: Variables, levels: number): unknown {
  if (levels > MAX_JSON_LEVELS + 1) return null;
  switch (node.kind) {
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map(({ name, value }) => [name.value, literalValue(value, variables, levels + 1)]),
      );
    case Kind.LIST:
      return node.values.map((value) => literalValue(value, variables, levels + 1));
    case Kind.VARIABLE:
      return variables?.[node.name.value] ?? null;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.NULL:
      return null;
    default:
      return node.value;
  }
}
