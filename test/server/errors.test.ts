import { GraphQLError } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { answerOf, type Gateway, startGateway } from './gateway.js';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

describe('a caller that cannot be identified', () => {
  it('is answered with 401 and UNAUTHENTICATED before anything runs', async () => {
    const response = await gateway.post({ query: '{ caller }' }, { authorization: 'Bearer unknown' });
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await answerOf(response)).toEqual({
      status: 401,
      errors: [{ message: 'This token is not valid.', extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  it('is asked to retry while the stores are out of reach', async () => {
    const response = await gateway.post({ query: '{ caller }' }, { authorization: 'Bearer outage' });
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await answerOf(response)).toMatchObject({
      status: 503,
      errors: [{ extensions: { code: 'CACHE_UNREACHABLE' } }],
    });
  });

  it('sees a failure of ours only as INTERNAL', async () => {
    const response = await gateway.post({ query: '{ caller }' }, { authorization: 'Bearer bug' });
    const { status, errors } = await answerOf(response);
    expect([status, errors?.[0]?.extensions?.code]).toEqual([500, 'INTERNAL']);
    expect(JSON.stringify(errors)).not.toContain('s3cret');
  });
});

describe('an error of a resolver', () => {
  it('is masked when it is unknown, and logged under the request id that the answer carries', async () => {
    const response = await gateway.post({ query: 'query Broken { caller broken }' });
    const requestId = response.headers.get('x-request-id');
    const { data, errors } = await answerOf(response);
    expect(data).toEqual({ caller: 'poster', broken: null });
    expect(errors).toEqual([
      {
        message: 'Something went wrong on our side; the request id in the log tells more.',
        locations: [{ line: 1, column: 23 }],
        path: ['broken'],
        extensions: { code: 'INTERNAL', requestId },
      },
    ]);
    const failure = gateway.logged().find((line) => line.requestId === requestId && line.level === 'error');
    expect(failure).toMatchObject({ failure: { name: 'Error', message: expect.stringContaining('does not exist') } });
  });

  it('passes when it is coded', async () => {
    const { errors } = await gateway.query('{ coded }');
    expect(errors).toMatchObject([{ message: 'You may not.', path: ['coded'], extensions: { code: 'FORBIDDEN' } }]);
  });

  it('passes in the coded form that the gateway gives it', async () => {
    const codedError = () => new GraphQLError('Try again.', { extensions: { code: 'UNAVAILABLE' } });
    const other = await startGateway({ codedError });
    const { errors } = await other.query('{ broken }');
    expect(errors).toMatchObject([{ message: 'Try again.', extensions: { code: 'UNAVAILABLE' } }]);
    await other.close();
  });

  it('is ours when its value does not fit the type', async () => {
    const { errors } = await gateway.query('{ number }');
    expect(errors?.[0]?.extensions?.code).toBe('INTERNAL');
  });
});

describe('a mistake in the operation is BAD_REQUEST', () => {
  it.each([
    ['a syntax error', '{ caller', {}],
    ['an unknown field', '{ cat }', {}],
    ['no operation', 'fragment F on Query { caller }', {}],
    ['a variable of another type', 'query($n: String!) { hello(name: $n) }', { n: 1 }],
    ['a variable left out', 'query($n: String!) { hello(name: $n) }', {}],
    ['a null where none may stand', 'query($n: String) { hello(name: $n) }', { n: null }],
    ['a lone surrogate of a name', '{ \ud800 }', {}],
  ])('%s', async (_, query, variables) => {
    const { errors, status } = await answerOf(await gateway.post({ query, variables }));
    expect(status).toBeLessThan(500);
    expect(errors?.[0]?.extensions?.code).toBe('BAD_REQUEST');
  });

  it('and suggests names outside production only', async () => {
    const production = await startGateway({ production: true });
    expect((await gateway.query('{ calle }')).errors?.[0]?.message).toContain('Did you mean "caller"');
    expect((await production.query('{ calle }')).errors?.[0]?.message).toBe(
      'Cannot query field "calle" on type "Query".',
    );
    await production.close();
  });
});

it('logs the allowed facts of a request and no others', async () => {
  const response = await gateway.post(
    { query: 'query Greeting($name: String!) { hello(name: $name) }', variables: { name: 'planted' } },
    { authorization: 'Bearer planted', 'x-planted': 'planted' },
  );
  await response.text();
  await eventually(() => gateway.logged().some((line) => line.operation === 'Greeting'));
  const line = gateway.logged().find(({ operation }) => operation === 'Greeting');
  expect(line).toEqual({
    level: 'info',
    time: expect.any(String),
    requestId: response.headers.get('x-request-id'),
    method: 'POST',
    path: '/graphql',
    status: 200,
    ms: expect.any(Number),
    operation: 'Greeting',
    msg: 'answered',
  });
  await fetch(`${gateway.url}/planted?planted=planted`);
  expect(JSON.stringify(gateway.logged())).not.toContain('planted');
});
