// Parts of an answer that are kept as text: only where they follow from an object that is given again, and never to another
// answer than graphql-js gives.
import { execute, GraphQLObjectType, GraphQLSchema, GraphQLString, getOperationAST, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema as ours } from '../../src/schema/index.js';
import { carryOut } from '../../src/server/execute.js';
import { QueryPlan } from '../../src/server/execute-plan.js';
import { jsonOf, KeptText, KeptTexts } from '../../src/server/kept-text.js';

let calls = 0;
const Thing = new GraphQLObjectType({
  name: 'Thing',
  extensions: { follows: true },
  fields: {
    name: {
      type: GraphQLString,
      resolve: ({ name }: { name: string }) => {
        calls++;
        return name;
      },
    },
    failing: {
      type: GraphQLString,
      resolve: () => {
        throw new Error('It fails.');
      },
    },
    guarded: { type: GraphQLString, extensions: { access: 'a:read' }, resolve: () => 'guarded' },
    later: { type: GraphQLString, resolve: async () => 'later' },
  },
});
const one = { name: 'one' };
const two = { name: 'two' };
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: 'Query',
    fields: {
      same: { type: Thing, extensions: { lasting: true }, resolve: () => one },
      given: { type: Thing, extensions: { lasting: true }, resolve: (_, __, { thing }) => thing },
      mine: { type: Thing, extensions: { lasting: true, access: 'a:read' }, resolve: () => one },
      fresh: { type: Thing, extensions: { lasting: true }, resolve: () => ({ name: 'fresh' }) },
      silent: { type: Thing, resolve: () => one },
    },
  }),
});

/** What each of `times` runs of one plan answers, how often it resolved a name, and whether it met a text. */
async function runs(text: string, contexts: readonly object[]) {
  const tree = parse(text);
  const operation = getOperationAST(tree);
  const plan = operation && new QueryPlan(schema, tree, operation);
  const root = plan?.root({});
  if (!plan || !root) throw new Error('There is no query.');
  const texts = new KeptTexts();
  const ran = [];
  for (const context of contexts) {
    const kept = { texts, met: false };
    calls = 0;
    const result = await carryOut(plan, root, { context, variables: {}, kept });
    const counted = calls;
    const expected = await execute({ schema, document: tree, contextValue: context });
    expect(JSON.stringify(result)).toBe(JSON.stringify(expected));
    expect(jsonOf(result)).toBe(JSON.stringify(expected));
    ran.push({ calls: counted, met: kept.met });
  }
  return ran;
}

const threeTimes = [{}, {}, {}];

describe('what an answer has of an object that is given again', () => {
  it('is completed twice, and from then on is a text', async () => {
    expect(await runs('{ same { name } }', threeTimes)).toEqual([
      { calls: 1, met: false },
      { calls: 1, met: true },
      { calls: 0, met: true },
    ]);
  });

  it('is another one of another object', async () => {
    const contexts = [one, two, one, two, one, two].map((thing) => ({ thing }));
    expect((await runs('{ given { name } }', contexts)).map((ran) => ran.calls)).toEqual([1, 1, 1, 1, 0, 0]);
  });

  it('is another one in another place', async () => {
    expect((await runs('{ a: same { name } b: same { other: name } }', threeTimes)).at(-1)).toEqual({
      calls: 0,
      met: true,
    });
  });

  it.each([
    ['fails anywhere', '{ same { name failing } }'],
    ['waits for anything', '{ same { name later } }'],
    ['needs a right that the field does not', '{ same { name guarded } }'],
    ['is of a field that promises nothing', '{ silent { name } }'],
    ['is new each time', '{ fresh { name } }'],
  ])('is completed each time where it %s', async (_, text) => {
    expect(await runs(text, threeTimes)).toEqual(threeTimes.map(() => ({ calls: 1, met: false })));
  });

  it('is a text where it needs the right that the field needs', async () => {
    expect((await runs('{ mine { name guarded } }', threeTimes)).at(-1)).toEqual({ calls: 0, met: true });
  });
});

describe('the text of a result', () => {
  it.each([
    { data: { list: [1, null, 'a"b', undefined, { x: true }], none: null, left: undefined } },
    { data: { when: new Date(0), deep: { own: { toJSON: () => 'told' } }, number: Number.NaN } },
    { data: Object.assign(Object.create(null), { ['__proto__']: 'x', é: '\u2028' }) },
  ])('is what JSON.stringify gives', (result) => {
    expect(jsonOf(result)).toBe(JSON.stringify(result));
  });

  it('has texts as they are', () => {
    const result = { data: { a: new KeptText('[1,{"b":2}]'), c: [new KeptText('"d"')] } };
    expect(jsonOf(result)).toBe('{"data":{"a":[1,{"b":2}],"c":["d"]}}');
    expect(JSON.stringify(result)).toBe(jsonOf(result));
  });
});

it('types that say that their fields follow from the object have no field that could ask for anything else', () => {
  const types = Object.values(ours.getTypeMap()).filter((type) => type.extensions.follows === true);
  expect(types.length).toBeGreaterThan(5);
  for (const type of types) {
    if (!(type instanceof GraphQLObjectType)) throw new Error(`${type.name} is no object type.`);
    for (const { name, args, resolve, extensions } of Object.values(type.getFields())) {
      const asks = args.length > 0 || (resolve !== undefined && resolve.length > 1 && extensions.access === undefined);
      expect(asks, `${type.name}.${name}`).toBe(false);
    }
  }
});
