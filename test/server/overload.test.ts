// A query of which nothing can be answered for now is refused as a whole: with a status, and with when to try again.
import { buildSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Overloaded } from '../../src/cache/index.js';
import { DatabaseUnavailable } from '../../src/db/index.js';
import { Forbidden } from '../../src/resolvers/index.js';
import { codedError } from '../../src/schema/index.js';
import { type Answer, answerOf, type Gateway, startGateway } from './gateway.js';

const schema = buildSchema(`
  type Query { busy: String lost: String forbidden: String broken: String there: String absent: String must: String! }
  type Mutation { busy: String }
`);
const fail = (error: Error) => () => {
  throw error;
};
const fields = {
  busy: fail(new Overloaded('full')),
  lost: fail(new DatabaseUnavailable('Postgres is out of reach; try again.')),
  must: fail(new Overloaded('late')),
  forbidden: fail(new Forbidden('You may not.')),
  broken: fail(new Error('a bug')),
  there: () => 'there',
};
for (const [name, resolve] of Object.entries(fields)) {
  for (const type of [schema.getQueryType(), schema.getMutationType()]) {
    const field = type?.getFields()[name];
    if (field) field.resolve = resolve;
  }
}

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({
    schema,
    codedError,
    contextOf: async ({ authorization }) => {
      if (authorization) throw new Overloaded('full');
      return { name: 'anybody', trace: [{ view: 'menu', key: 'a', outcome: 'MISS' }] };
    },
  });
});
afterAll(() => gateway.close());

interface Told extends Answer {
  readonly retryAfter: string | null;
  readonly codes: readonly unknown[];
}

async function ask(query: string, headers: Record<string, string> = {}): Promise<Told> {
  const response = await gateway.post({ query }, headers);
  const answer = await answerOf(response);
  const codes = (answer.errors ?? []).map(({ extensions }) => extensions?.code);
  return { ...answer, codes, retryAfter: response.headers.get('retry-after') };
}

describe('a query of which nothing could be answered is told to try again in a second', () => {
  it.each([
    ['because too much is asked', '{ busy }', ['OVERLOADED']],
    ['because Postgres is lost', '{ lost }', ['UNAVAILABLE']],
    ['for one reason and another', '{ busy lost again: busy }', ['OVERLOADED', 'UNAVAILABLE', 'OVERLOADED']],
    ['as the field must have a value', '{ there must }', ['OVERLOADED']],
  ])('%s', async (_, query, codes) => {
    for (let time = 1; time <= 2; time++) {
      expect(await ask(query)).toMatchObject({ status: 503, retryAfter: '1', codes });
    }
  });

  it('with the place of each failure and the trace, as in any answer', async () => {
    const { data, errors, extensions } = await ask('{ busy }', { 'x-cache-trace': '1' });
    expect(data).toEqual({ busy: null });
    expect(errors).toEqual([
      {
        message: 'More is asked of the database at the moment than it can answer; try again in a second.',
        locations: [{ line: 1, column: 3 }],
        path: ['busy'],
        extensions: { code: 'OVERLOADED' },
      },
    ]);
    expect(extensions).toEqual({ cache: [{ view: 'menu', key: 'a', outcome: 'MISS' }] });
  });

  it('whatever form of answer it takes', async () => {
    for (const accept of ['application/graphql-response+json', 'text/event-stream']) {
      expect(await ask('{ busy }', { accept })).toMatchObject({ status: 503, retryAfter: '1', codes: ['OVERLOADED'] });
    }
  });

  it('before anything runs, where not even the caller could be identified', async () => {
    const refusal = await ask('{ there }', { authorization: 'Bearer busy' });
    expect(refusal).toMatchObject({ status: 503, retryAfter: '1', codes: ['OVERLOADED'] });
  });
});

describe('an answer with a coded error is an answer', () => {
  it.each([
    ['where another field has a value', '{ busy there }', ['OVERLOADED']],
    ['where another field has none, and that is its answer', '{ busy absent }', ['OVERLOADED']],
    ['where trying again would not mend all of it', '{ busy forbidden }', ['OVERLOADED', 'FORBIDDEN']],
    ['where a fault of ours is among it', '{ busy broken }', ['OVERLOADED', 'INTERNAL']],
    ['of a mutation, which a proxy could repeat', 'mutation { busy }', ['OVERLOADED']],
  ])('%s', async (_, query, codes) => {
    expect(await ask(query)).toMatchObject({ status: 200, retryAfter: null, codes });
  });
});
