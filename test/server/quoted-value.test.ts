// Errors of GraphQL's own, as a client sees them: they name the place, and quote no value.
import { buildSchema, GraphQLError, type GraphQLSchema, getVariableValues, Kind, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { withoutValue } from '../../src/server/quoted-value.js';

const schema: GraphQLSchema = buildSchema(`
  enum Kind { ONE TWO }
  input Inner { number: Int!, names: [String!] }
  type Query { f(text: String, number: Int, share: Float, is: Boolean, id: ID, kind: Kind, inner: Inner, inners: [Inner!]): Int }
`);

function ofVariable(type: string, value: unknown): readonly string[] {
  const document = parse(`query ($v: ${type}) { f }`);
  const [operation] = document.definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('This is no operation.');
  const { errors = [] } = getVariableValues(schema, operation.variableDefinitions ?? [], { v: value });
  return errors.map(withoutValue);
}

const ofLiteral = (argument: string): readonly string[] =>
  validate(schema, parse(`{ f(${argument}) }`)).map(withoutValue);

function ofSyntax(text: string): string {
  try {
    parse(text);
    return 'parsed';
  } catch (error) {
    return error instanceof GraphQLError ? withoutValue(error) : 'another error';
  }
}

describe('an error of GraphQL', () => {
  const P = 'planted; "at" value: x. Did you mean';
  it.each<[string, unknown, string]>([
    ['String', { of: P }, 'Variable "$v" got an invalid value; String cannot represent a non string value.'],
    ['String', [P], 'Variable "$v" got an invalid value; String cannot represent a non string value.'],
    ['Int', P, 'Variable "$v" got an invalid value; Int cannot represent non-integer value.'],
    ['Int', 2 ** 40, 'Variable "$v" got an invalid value; Int cannot represent non 32-bit signed integer value.'],
    ['Float', P, 'Variable "$v" got an invalid value; Float cannot represent non numeric value.'],
    ['Boolean', P, 'Variable "$v" got an invalid value; Boolean cannot represent a non boolean value.'],
    ['ID', [P], 'Variable "$v" got an invalid value; ID cannot represent value.'],
    ['Inner', P, 'Variable "$v" got an invalid value; Expected type "Inner" to be an object.'],
    [
      'Inner',
      { number: P },
      'Variable "$v" got an invalid value at "v.number"; Int cannot represent non-integer value.',
    ],
    [
      '[Inner!]',
      [{ number: 1 }, { number: 1, names: [P, { of: P }] }],
      'Variable "$v" got an invalid value at "v[1].names[1]"; String cannot represent a non string value.',
    ],
    ['Inner', {}, 'Variable "$v" got an invalid value; Field "number" of required type "Int!" was not provided.'],
  ])('about a variable of type %s quotes nothing of it', (type, value, message) => {
    expect(ofVariable(type, value)).toEqual([message]);
  });

  it('about a variable of an enum quotes nothing of it', () => {
    for (const value of [P, 'ONEE', { of: P }]) {
      for (const message of ofVariable('Kind', value)) expect(message).not.toMatch(/planted|ONEE/);
    }
  });

  it.each([
    'text: { of: "planted" }',
    'text: planted',
    'number: "planted"',
    'share: "planted"',
    'is: "planted"',
    'id: { of: "planted" }',
    'kind: "planted"',
    'kind: planted',
    'inner: "planted"',
    'inner: { number: "planted" }',
    'inners: [{ number: ["planted"] }]',
  ])('about the literal %s quotes nothing of it', (argument) => {
    const messages = ofLiteral(argument);
    expect(messages.length).toBeGreaterThan(0);
    for (const message of messages) expect(message).not.toContain('planted');
  });

  it.each([
    '{ f(text "planted") }',
    '{ f(text: "x" "planted") }',
    '"planted',
    '{ f(text: """planted""" """planted""") }',
  ])('about the syntax of %s quotes no string of it', (text) => {
    expect(ofSyntax(text)).toMatch(/^Syntax Error/);
    expect(ofSyntax(text)).not.toContain('planted');
  });

  it('that quotes no value stays as it is', () => {
    expect(ofSyntax('{ f( }')).toBe('Syntax Error: Expected Name, found "}".');
    expect(validate(schema, parse('{ nothing }')).map(withoutValue)).toEqual([
      'Cannot query field "nothing" on type "Query".',
    ]);
    expect(ofVariable('Inner!', null)).toEqual(['Variable "$v" of non-null type "Inner!" must not be null.']);
  });
});
