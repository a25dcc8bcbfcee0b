// A ready answer is no way around the guards: whatever is asked of a request before it runs is asked before its answer is
// given again.

import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { Keeping } from '../../src/server/http-cache.js';
import type { Arrival, ServerOptions } from '../../src/server/index.js';
import type { Basis } from '../../src/server/kept-answer.js';
import { answerOf, type Caller, type Gateway, sendChunks, startGateway } from './gateway.js';

const HELLO = '{ hello }';

let gateway: Gateway;
let stands = true;
let holds = true;
let given = 0;
afterEach(() => gateway.close());

/** An edge where every answer may be given again while it `holds` and `stands`. */
async function start({ maxBytes = 1_000_000, ...overrides }: Partial<ServerOptions<Caller>> & { maxBytes?: number }) {
  stands = true;
  holds = true;
  given = 0;
  const again = () => {
    given += 1;
  };
  const basis: Basis = {
    holds: () => holds,
    stands: (tell) => void setImmediate(() => tell(stands)),
    again,
    bytes: 100,
    packed: () => null,
  };
  gateway = await startGateway({
    answers: { maxBytes, basisOf: () => basis, basisFrom: () => basis },
    ...overrides,
  });
}

const statuses = async (count: number, ask = () => gateway.post({ query: HELLO })) => {
  const found: number[] = [];
  for (let at = 0; at < count; at++) found.push((await ask()).status);
  return found;
};

it('takes off the rate of the caller what the ordinary way takes', async () => {
  await start({ rates: { address: 1 } }); // a minute
  expect(await statuses(3)).toEqual([200, 429, 429]);
  expect(given).toBe(0);
});

it('takes off the rate of a metered field', async () => {
  await start({ rates: { reveal: 1 }, metered: new Map([['hello', 'reveal']]) }); // a minute
  expect(await statuses(3)).toEqual([200, 429, 429]);
  expect(given).toBe(0);
});

it('tells the log as much of a request: its own id, operation and status', async () => {
  await start({});
  const ask = () => gateway.post({ query: 'query Greeting { hello }' });
  const ids = [(await ask()).headers.get('x-request-id'), (await ask()).headers.get('x-request-id')];
  expect(given).toBe(1);
  const lines = gateway.logged().filter(({ requestId }) => ids.includes(String(requestId)));
  expect(lines).toMatchObject([
    { method: 'POST', path: '/graphql', status: 200, operation: 'Greeting' },
    { method: 'POST', path: '/graphql', status: 200, operation: 'Greeting' },
  ]);
  expect(new Set(ids).size).toBe(2);
});

it('is not taken by who asks where an answer comes from, nor where the length of the body is not told', async () => {
  await start({});
  await statuses(2, () => gateway.post({ query: HELLO }, { 'x-cache-trace': '1' }));
  for (let at = 0; at < 2; at++) await sendChunks(gateway.url, [JSON.stringify({ query: HELLO })]);
  expect(given).toBe(0);
});

it('answers each form in itself', async () => {
  await start({});
  const typed = async (accept: string) => {
    const response = await gateway.post({ query: HELLO }, { accept });
    return response.headers.get('content-type');
  };
  const forms = ['application/json', 'application/graphql-response+json'];
  for (const form of [...forms, ...forms]) expect(await typed(form)).toContain(form);
  expect(given).toBe(2);
});

it('is left as soon as the answer stands no more', async () => {
  await start({});
  await statuses(2);
  stands = false;
  await statuses(2);
  expect(given).toBe(1);
});

it('is left while the answer does not hold at this time', async () => {
  await start({});
  await statuses(2);
  holds = false;
  await statuses(1);
  expect(given).toBe(1);
});

it('gives nobody who sends an empty token what those are given who send none', async () => {
  const contextOf = async ({ authorization }: Arrival) => ({ name: `by ${authorization}`, trace: [] });
  await start({ contextOf });
  const names = async (headers = {}) => (await gateway.query('{ caller }', headers)).data?.caller;
  expect([await names(), await names()]).toEqual(['by undefined', 'by undefined']);
  expect([await names({ authorization: '' }), await names({ authorization: '' })]).toEqual(['by ', 'by ']);
});

it('refuses who has nothing left as the ordinary way does', async () => {
  await start({ rates: { reveal: 2 }, metered: new Map([['hello', 'reveal']]) }); // a minute
  await statuses(2);
  const refusal = async (headers = {}) => {
    const response = await gateway.post({ query: HELLO }, headers);
    const told = ['content-type', 'retry-after', 'cache-control'].map((name) => response.headers.get(name));
    const { errors } = await answerOf(response);
    return { status: response.status, told, errors };
  };
  const [short, ordinary] = [await refusal(), await refusal({ 'x-cache-trace': '1' })];
  expect(short).toEqual(ordinary);
  expect(short.status).toBe(429);
});

describe('by GET', () => {
  const hello = createHash('sha256').update(HELLO).digest('hex');
  let ageSeconds: number;
  const keeping = (): Keeping => ({ maxAgeSeconds: 60 - ageSeconds, shared: true, later: keeping });
  const begin = async (keepingOf: () => Keeping) => {
    ageSeconds = 0;
    await start({ trusted: new Map([[hello, HELLO]]), keepingOf });
  };
  const get = async (headers = {}) => {
    const response = await gateway.get({ documentId: hello }, headers);
    const { date: _, 'x-request-id': __, ...rest } = Object.fromEntries(response.headers);
    return { status: response.status, headers: rest, body: await response.text() };
  };

  it('gives the same answer with the same tag, for as long as it may be kept now', async () => {
    await begin(keeping);
    const first = await get();
    expect(await get()).toEqual(first);
    ageSeconds = 20;
    const { headers } = await get();
    expect(headers).toEqual({ ...first.headers, 'cache-control': 'public, max-age=40, must-revalidate' });
    expect(given).toBe(2);
  });

  it('tells who has the answer that he has it', async () => {
    await begin(keeping);
    const { etag = '' } = (await get()).headers;
    const unchanged = await get({ 'if-none-match': etag });
    expect(unchanged).toMatchObject({ status: 304, body: '', headers: { etag } });
    expect((await get({ 'if-none-match': '"another"' })).status).toBe(200);
    expect(given).toBe(2);
  });

  it('gives no answer again of which it is not known how long it may be kept', async () => {
    await begin(() => ({ maxAgeSeconds: 60, shared: true }));
    expect(await get()).toEqual(await get());
    expect(given).toBe(0);
  });

  it('marks nothing for others to keep that was asked for by its text', async () => {
    await begin(keeping);
    const ask = async () => (await gateway.get({ query: HELLO })).headers.get('cache-control');
    expect([await ask(), await ask()]).toEqual(['no-store', 'no-store']);
    expect(given).toBe(1);
  });

  it('gives no poster what was asked for by GET, nor the other way round', async () => {
    await start({});
    const caller = async (response: Promise<Response>) => (await answerOf(await response)).data?.caller;
    const [query, names] = [{ query: '{ caller }' }, [] as unknown[]];
    for (let time = 0; time < 2; time++)
      names.push(await caller(gateway.get(query)), await caller(gateway.post(query)));
    expect(names).toEqual(['getter', 'poster', 'getter', 'poster']);
    expect(given).toBe(2);
  });
});

describe('of what is kept', () => {
  /** Which nothing makes much shorter. */
  const longName = (name: number) =>
    Array.from({ length: 5 }, (_, at) => createHash('sha512').update(`${name} ${at}`).digest('hex')).join('');
  const ask = (name: number) => gateway.post({ query: `{ hello(name: "${longName(name)}") }` });
  const isGiven = async (name: number) => {
    const before = given;
    await ask(name);
    return given > before;
  };

  it('there is no more than its bound, the latest answers', async () => {
    await start({ maxBytes: 30_000 });
    for (let name = 0; name < 100; name++) await ask(name).then(() => ask(name));
    expect(await isGiven(99)).toBe(true);
    expect(await isGiven(0)).toBe(false);
  });

  it('nothing gives way to what is asked for once', async () => {
    await start({ maxBytes: 30_000 });
    await ask(0).then(() => ask(0));
    for (let name = 1; name < 100; name++) await ask(name);
    expect(await isGiven(0)).toBe(true);
    expect(await isGiven(99)).toBe(false);
    expect(await isGiven(99)).toBe(true);
  });
});

it('refuses who is nobody, as ever', async () => {
  await start({});
  await statuses(2);
  expect(await statuses(2, () => gateway.post({ query: HELLO }, { authorization: 'Bearer unknown' }))).toEqual([
    401, 401,
  ]);
});

it('is not there unless it is asked for', async () => {
  gateway = await startGateway();
  given = 0;
  expect(await statuses(3)).toEqual([200, 200, 200]);
  expect(given).toBe(0);
});
