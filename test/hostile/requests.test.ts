// A gateway in production, as the internet meets it: whatever is sent is told in 4xx, with a code and a sentence, and nothing
// of its inside; and it serves everybody else meanwhile.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answersIn, type PlainAnswer, requireCoded, requireDecent } from '../fuzz/answer.js';
import { eventually } from '../support/eventually.js';
import { formsFor } from './forms.js';
import { type HostileSite, openHostileSite, send } from './gateway.js';

let site: HostileSite;
beforeAll(async () => {
  site = await openHostileSite({ ESPELHO_LIMIT_HEADERS_MS: '2000', ESPELHO_LIMIT_REQUEST_MS: '3000' });
});
afterAll(() => site?.close());

it('of every hostile form of a request says what is wrong with it', async () => {
  const failures: string[] = [];
  for (const [title, bytes, status] of formsFor(site.tokens.get('back-office') ?? '')) {
    try {
      const answer = await send(site.port, bytes);
      if (!answer) throw new Error('no answer');
      expect([title, answer.status, answer.body.slice(0, 300)]).toEqual([title, status, expect.anything()]);
      requireDecent(answer);
      requireCoded(answer);
      expect(answer.headers.has('access-control-allow-origin')).toBe(false);
      expect(answer.body.length).toBeLessThan(5_000);
    } catch (error) {
      failures.push(`${title}: ${String(error).slice(0, 600)}`);
    }
  }
  expect(failures).toEqual([]);
  expect(site.log()).not.toContain('"failed"');
});

describe('what comes behind a request on its connection', () => {
  const good = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  const body = '{"query":"{ viewer { subject } }"}';
  const request = (more = '') =>
    `${good}${more}authorization: Bearer ${site.tokens.get('frontend')}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const allOf = async (bytes: string): Promise<{ answers: readonly PlainAnswer[]; rest: string }> => {
    const socket = connect(site.port, '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (chunk) => received.push(chunk)).on('error', () => {});
    socket.write(bytes);
    await once(socket, 'close');
    return answersIn(Buffer.concat(received));
  };

  it('is answered after it, be it a request or none', async () => {
    const { answers, rest } = await allOf(`${request()}${request()}NONSENSE\r\n\r\n`);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 400]);
    expect(rest).toBe('');
  });

  it('ends an event stream, and never stands inside of it', async () => {
    const socket = connect(site.port, '127.0.0.1');
    const stream = '{"query":"subscription { menuChanged { key } }"}';
    let received = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.write(
      `${good}accept: text/event-stream\r\nauthorization: Bearer ${site.tokens.get('frontend')}\r\ncontent-length: ${stream.length}\r\n\r\n${stream}`,
    );
    await eventually(() => received.includes(':\n\n'));
    const closed = once(socket, 'close');
    socket.write('NONSENSE\r\n\r\n');
    await closed;
    expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});

it('serves others while hundreds send their requests, or read their answers, ever so slowly', async () => {
  const query = '{"query":"{ viewer { subject } }"}';
  const token = site.tokens.get('frontend');
  const head = `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${token}\r\n`;
  const kinds = [
    'POST /graphql HTTP/1.1\r\nhost: x\r\n',
    `${head}content-length: 34\r\n\r\n{"query"`,
    `${head}content-length: 34\r\n\r\n${query}`.repeat(20),
  ];
  const slow: Socket[] = Array.from({ length: 300 }, (_, at) => {
    const socket = connect(site.port, '127.0.0.1').on('error', () => {});
    socket.write(kinds[at % kinds.length] ?? '');
    return socket.pause();
  });
  for (let time = 0; time < 20; time += 1) {
    for (const [at, socket] of slow.entries())
      if (at % 3 < 2 && socket.writable) socket.write(at % 3 === 0 ? `x: ${time}\r\n` : ' ');
    // Those who read slowly ask for two thousand answers in one go: for that moment 503 is an answer too.
    const answer = await eventually(async () => {
      const response = await fetch(`${site.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: query,
      });
      const text = await response.text();
      return response.status !== 503 && JSON.parse(text);
    });
    expect(answer).toEqual({ data: { viewer: { subject: 'ana' } } });
  }
  for (const socket of slow) socket.resume();
  const senders = slow.filter((_, at) => at % 3 < 2);
  await eventually(() => senders.every((socket) => socket.closed), 60_000);
  for (const socket of slow) socket.destroy();
});

describe('what belongs to others', () => {
  const ask = async (query: string, variables: object, role: string) => {
    const response = await fetch(`${site.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${site.tokens.get(role)}` },
      body: JSON.stringify({ query, variables }),
    });
    return JSON.parse(await response.text());
  };
  const lines =
    'query ($account: String!, $after: String) { account(number: $account) { id transactions(from: "2020-01-01", to: "2030-12-31", first: 1, after: $after) { pageInfo { endCursor } } } }';
  const open =
    'mutation ($number: String!, $holder: String!) { openAccount(number: $number, holder: $holder, currency: "BRL", timeZone: "UTC") { ... on OpenAccountPayload { account { id } } } }';

  it('looks as if it were not there, and its cursors and ids open nothing', async () => {
    const foreign = `f-${randomUUID()}`;
    const { data } = await ask(open, { number: foreign, holder: 'bruno' }, 'back-office');
    const { data: own } = await ask('{ accounts(first: 2) { edges { node { number } } } }', {}, 'frontend');
    const numbers: string[] = own.accounts.edges.map(({ node }: { node: { number: string } }) => node.number);
    const missing = await ask(lines, { account: 'no-such-account' }, 'frontend');
    expect(await ask(lines, { account: foreign }, 'frontend')).toEqual(missing);
    const node = 'query ($id: ID!) { node(id: $id) { id } }';
    expect(await ask(node, { id: data.openAccount.account.id }, 'frontend')).toEqual({ data: { node: null } });
    const first = await ask(lines, { account: numbers[0] }, 'frontend');
    const after = first.data.account.transactions.pageInfo.endCursor;
    expect(after).toMatch(/./);
    const elsewhere = await ask(
      lines,
      { account: numbers[1] ?? foreign, after },
      numbers[1] ? 'frontend' : 'back-office',
    );
    expect(elsewhere.errors[0].extensions.code).toBe('BAD_REQUEST');
    const kinds = [
      'Menu:main:en',
      'Token:00000000-0000-0000-0000-000000000000',
      'Nothing:1',
      '__proto__:x',
      'Account:',
      ':',
    ];
    for (const kind of kinds) {
      const { data: found, errors } = await ask(
        'mutation ($id: ID!) { revokeToken(id: $id) { __typename ... on UserError { message } } }',
        { id: Buffer.from(kind).toString('base64url') },
        'security-officer',
      );
      expect(found?.revokeToken?.__typename ?? errors?.[0].extensions.code).toMatch(
        /^(NotFoundError|ValidationError|BAD_REQUEST)$/,
      );
    }
  });
});
