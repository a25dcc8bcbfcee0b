import fc from 'fast-check';
import {
  buildSchema,
  type ExecutionResult,
  execute,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  isAbstractType,
  isObjectType,
  parse,
  validate,
} from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../src/schema/index.js';
import { carryOut } from '../../src/server/execute.js';
import { QueryPlan } from '../../src/server/execute-plan.js';
import { conduct, Dice, drawOperation } from './operation-dice.js';

interface Ran {
  readonly answer: string;
  /** What resolvers were told, in the order of their calls. */
  readonly calls: readonly string[];
}

interface Context {
  readonly seed: number;
  readonly calls: string[];
}

type How = (schema: GraphQLSchema, text: string, variables: object, context: unknown) => unknown;

const byGraphQL: How = (schema, text, variables, contextValue) =>
  execute({ schema, document: parse(text), variableValues: { ...variables }, contextValue });

const byPlan: How = (schema, text, variables, context) => {
  const tree = parse(text);
  const operation = getOperationAST(tree);
  if (!operation) throw new Error('There is no operation.');
  const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], { ...variables });
  const plan = new QueryPlan(schema, tree, operation);
  const root = coerced && plan.root(coerced);
  if (!root) return errors ? { errors } : byGraphQL(schema, text, variables, context);
  const first = carryOut(plan, root, { context, variables: coerced });
  return first;
};

async function run(how: How, schema: GraphQLSchema, text: string, variables: object, seed = 0): Promise<Ran> {
  const calls: string[] = [];
  const { data, errors } = (await how(schema, text, variables, { seed, calls })) as ExecutionResult;
  const told = errors?.map(({ message, locations, path, nodes, originalError }) => ({
    message,
    locations,
    path,
    nodes: nodes?.length,
    origin: originalError?.message,
  }));
  return { answer: JSON.stringify({ data, errors: told }), calls };
}

async function expectSame(schema: GraphQLSchema, text: string, variables: object = {}, seed = 0): Promise<string> {
  const [planned, reference] = [
    await run(byPlan, schema, text, variables, seed),
    await run(byGraphQL, schema, text, variables, seed),
  ];
  expect(planned).toEqual(reference);
  return planned.answer;
}

describe('over the schema of the gateway', () => {
  beforeAll(() => {
    for (const type of Object.values(schema.getTypeMap())) {
      if (isAbstractType(type)) type.resolveType = (value) => value.__typename;
      if (!isObjectType(type) || type.name.startsWith('__')) continue;
      for (const field of Object.values(type.getFields())) {
        field.resolve = (_: unknown, args: object, { seed, calls }: Context, info: GraphQLResolveInfo) => {
          const { fieldName, parentType, returnType, fieldNodes, variableValues, operation, path } = info;
          const facts = [args, path, fieldName, parentType, returnType, fieldNodes.length, variableValues];
          calls.push(JSON.stringify([...facts, operation.name?.value], asText));
          return conduct(schema, seed, info);
        };
      }
    }
  });

  it('answers any query as graphql-js does, whatever its resolvers do', async () => {
    let valid = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(1_000_000), { minLength: 20, maxLength: 400 }),
        fc.nat(),
        async (rolls, seed) => {
          const { text, variables } = drawOperation(schema, new Dice(rolls));
          if (validate(schema, parse(text)).length > 0) return;
          valid++;
          await expectSame(schema, text, variables, seed);
        },
      ),
      { numRuns: 500, seed: 7 },
    );
    expect(valid).toBeGreaterThan(250);
  });

  it('answers questions about the schema as graphql-js does', async () => {
    const types =
      '{ name kind fields(includeDeprecated: true) { name type { name ofType { name } } args { defaultValue } } }';
    const asked = `{ __schema { types ${types} } __type(name: "Menu") ${types} __typename }`;
    expect(await expectSame(schema, asked)).toContain('flatItems');
  });
});

const asText = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value);

describe('a query in a small schema', () => {
  const small = buildSchema(`
    type Query { pet: Pet pets: [Pet!] dogs: [Dog] deep: Deep method(by: Int = 2): Int word: String }
    interface Pet { name: String! }
    type Dog implements Pet { name: String! friends: [Pet!]! }
    type Cat implements Pet { name: String! }
    type Deep { here: Int! later: Int! far: Deep! list: [[Int!]!] }
  `);
  const resolve = (type: string, name: string, resolver: (...args: never[]) => unknown) => {
    const field = (small.getType(type) as never as ReturnType<typeof small.getQueryType>)?.getFields()[name];
    if (field) field.resolve = resolver as never;
  };
  const dog = { name: 'Rex', isDog: true, friends: [{ name: 'Tom' }, Promise.resolve({ name: 'Bob', isDog: true })] };

  beforeAll(() => {
    for (const name of ['Dog', 'Cat']) {
      const type = small.getType(name);
      if (!isObjectType(type)) continue;
      type.isTypeOf = (value) => {
        const fits = Boolean(value.isDog) === (name === 'Dog');
        return name === 'Dog' ? Promise.resolve(fits) : fits;
      };
    }
    resolve('Query', 'pet', () => dog);
    resolve('Query', 'pets', () => new Set([dog, { name: 'Tom' }]));
    resolve('Query', 'dogs', () => [dog, { name: 'Tom' }, null]);
    resolve('Query', 'deep', () => ({
      here: () => Promise.reject(new Error('here fails')),
      later: async () => {
        await undefined;
        throw new Error('later fails');
      },
      far: { here: 1, later: null, list: [[1], [2, null], 3] },
      list: [[1], [2, null], 'no list'],
    }));
    resolve('Query', 'word', () => 'said');
  });

  it.each([
    [
      'types told by isTypeOf, at once or later',
      '{ pet { name ... on Dog { friends { __typename name } } } pets { __typename } }',
    ],
    ['an object of another type than it should have', '{ dogs { name } }'],
    ['siblings that fail after the place around them is null', '{ deep { here later far { here } } word }'],
    ['nulls that rise through lists', '{ deep { list far { here list } } word }'],
    ['a property that is a method', '{ deep { __typename } deep2: deep { far { here } } }'],
    ['a field called as the way to the prototype', '{ __proto__: word toString: word then: word }'],
  ])('gives the same for %s', async (_, text) => {
    await expectSame(small, text);
  });

  it('hears of every failure in a list, also once the list is null', async () => {
    const tree = parse('{ broken { __typename name } }');
    const listed = buildSchema('type Query { broken: [Thing!] } type Thing { name: String! }');
    const items = [{ name: () => Promise.reject(new Error('unheard')) }, new Error('heard')];
    const operation = getOperationAST(tree);
    if (!operation) throw new Error('There is no operation.');
    const field = listed.getQueryType()?.getFields().broken;
    if (field) field.resolve = () => items;
    const plan = new QueryPlan(listed, tree, operation);
    const root = plan.root({});
    const answer = root && (await carryOut(plan, root, { context: {}, variables: {} }));
    expect(answer).toMatchObject({ data: { broken: null }, errors: [{ message: 'heard' }] });
    await new Promise(setImmediate); // by now the process would know of a failure that nobody hears of
  });

  it('takes what is selected from its variables, each time anew', () => {
    const tree = parse('query($yes: Boolean!) { word @include(if: $yes) other: word @skip(if: $yes) }');
    const operation = getOperationAST(tree);
    if (!operation) throw new Error('There is no operation.');
    const plan = new QueryPlan(small, tree, operation);
    const ask = (variables: Record<string, unknown>) => {
      const root = plan.root(variables);
      return root && carryOut(plan, root, { context: {}, variables });
    };
    expect(ask({ yes: true })).toEqual({ data: { word: 'said' } });
    expect(ask({ yes: false })).toEqual({ data: { other: 'said' } });
    expect(ask({ yes: true })).toEqual({ data: { word: 'said' } });
    expect(ask({ yes: null })).toBeUndefined();
  });
});
