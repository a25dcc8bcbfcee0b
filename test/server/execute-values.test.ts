// Variables and arguments on the quick way come out as graphql-js has them.
import { buildSchema, getArgumentValues, getOperationAST, getVariableValues, Kind, parse } from 'graphql';
import { expect, it } from 'vitest';
import { argumentsOf, variablesOf } from '../../src/server/execute-values.js';

const schema = buildSchema(`
  enum Colour { RED GREEN }
  input Box { size: Int = 3, name: String }
  type Query {
    field(text: String = "none", id: ID, must: String!, count: Int = 50, colour: Colour = RED, box: Box, list: [Int!] = [1]): Int
  }`);

const given: readonly object[] = [
  {},
  { a: 'text' },
  { a: 'text', b: 'id' },
  { a: 'text', b: 7 },
  { a: null, b: 'id' },
  { a: undefined, b: 'id' },
  { a: 1, b: 'id' },
  { a: 'text', b: 'id', other: 'x' },
  Object.create({ a: 'inherited', b: 'inherited' }),
];

it.each([
  'query ($a: String!, $b: ID) { field(must: $a, id: $b) }',
  'query ($a: String, $b: ID = "default") { field(must: "x", text: $a, id: $b) }',
  'query ($a: String = "given", $b: ID!) { field(must: "x", text: $a, id: $b, count: 3, colour: GREEN) }',
  'query ($a: String!, $b: Int) { field(must: $a, count: $b, box: { name: $a }, list: [1, 2]) }',
  'query { field(must: "x", text: null, box: { size: 1 }, list: 4) }',
])('gives what graphql-js gives: %s', (text) => {
  const operation = getOperationAST(parse(text));
  const [node] = operation?.selectionSet.selections ?? [];
  const definition = schema.getQueryType()?.getFields().field;
  if (!operation || node?.kind !== Kind.FIELD || !definition) throw new Error('There is no such field.');
  const variables = variablesOf(schema, operation);
  const args = argumentsOf(definition, node);
  for (const values of given) {
    const told = { ...values };
    const expected = getVariableValues(schema, operation.variableDefinitions ?? [], told).coerced;
    const coerced = variables(told);
    expect(coerced).toEqual(expected);
    if (coerced && expected) {
      const outcome = (act: () => object) => {
        try {
          return JSON.stringify(act());
        } catch (error) {
          return String(error);
        }
      };
      expect(outcome(() => args(coerced))).toBe(outcome(() => getArgumentValues(definition, node, expected)));
    }
  }
});
