// What stands, by what a Redis tells of changes: as true as if it were asked each time, and no less so when connections are
// lost, rights are missing, or a server is silent.
import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TrackingSession } from '../../src/cache/redis-tracking.js';
import { Partition, value } from '../contracts/partition.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';
import { openRedisStore, type RedisUnderTest } from '../support/redis-store.js';

let server: RedisServer;
let redis: RedisUnderTest;
let at: Partition;
let other: Partition;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.close());
beforeEach(async () => {
  redis = await openRedisStore(server.url, 2_000);
  at = await Partition.begin(redis.store, 0);
  other = await Partition.begin(redis.store, 1);
  return () => redis.store.close();
});

/** So often that it is known of the entry that it stands, and told of its changes. */
async function tracked(key: string, of = at): Promise<string> {
  const stamps = [];
  for (let times = 0; times < 4; times++) stamps.push(await of.standing(key));
  expect(new Set(stamps).size).toBe(1);
  return stamps[0] ?? '';
}

/** What a server has run since the last look, without what any connection begins with. */
async function commandsRun(act: () => Promise<unknown>): Promise<Record<string, number>> {
  await server.cli.config('RESETSTAT');
  await act();
  const stats = await server.cli.info('commandstats');
  const counts = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name = '', calls]) => [
    name,
    Number(calls),
  ]);
  const { info: _, config: __, 'config|resetstat': ___, ...run } = Object.fromEntries(counts) as Record<string, number>;
  return run;
}

/** The connections on which the server tracks. */
async function trackingIds(): Promise<string[]> {
  const clients = String(await server.cli.client('LIST')).split('\n');
  return clients.flatMap((client) => (/ flags=\w*t/.test(client) ? (/^id=(\d+)/.exec(client)?.[1] ?? []) : []));
}

it('asks by the script once, for the entry once more, and then for a word', async () => {
  await at.filled('often', value());
  await eventually(async () => (await trackingIds()).length > 0);
  expect(await commandsRun(() => at.standing('often'))).toMatchObject({ evalsha: 1 });
  expect(await commandsRun(() => at.standing('often'))).toEqual({ hmget: 1, hget: 1 });
  expect(await commandsRun(() => at.standing('often'))).toEqual({ ping: 1 });
  expect(await commandsRun(() => at.standing('often'))).toEqual({ ping: 1 });
});

describe('what was known to stand stands no more', () => {
  const changes: Record<string, (key: string) => Promise<unknown>> = {
    'when it is fenced': (key) => at.fence([key], '10', 'w1'),
    'when it is dropped': (key) => at.drop(key, { version: '9', xid: '' }),
    'when it is gone': (key) => server.cli.del(redis.key('e', key)),
    'when its life is over': async (key) => {
      await server.cli.pexpire(redis.key('e', key), 1);
      await eventually(async () => (await server.cli.exists(redis.key('e', key))) === 0);
    },
    'when its key is given another type': (key) =>
      server.cli.multi().del(redis.key('e', key)).set(redis.key('e', key), 'x').exec(),
    'when all keys are': () => server.cli.flushdb(),
    'when the server has another life': async () => {
      await server.cli.flushall();
      await server.cli.multi().replicaof('127.0.0.1', '1').replicaof('NO', 'ONE').exec();
    },
    'when the meta of its partition is gone': () => server.cli.del(`${redis.key('', '')}m`),
    'when another epoch is open': () => at.next(),
  };
  it.each(Object.entries(changes))('%s', async (_, change) => {
    await at.filled('stood', value());
    const before = await tracked('stood');
    await change('stood');
    const after = await at.standing('stood').catch(() => undefined); // told as a mismatch
    expect(before).not.toBe('');
    expect(after).toBeUndefined();
  });

  it('and what has come instead is told', async () => {
    await at.filled('changed', value({ json: '"a"', version: '5' }));
    const before = await tracked('changed');
    await at.fence(['changed'], '11', 'w1');
    await at.publish('changed', 'w1', '11', value({ json: '"b"', version: '6' }));
    const after = await tracked('changed');
    expect([before, after]).toEqual([expect.stringMatching(/^1:0*5:/), expect.stringMatching(/^1:0*6:/)]);
  });

  it('and its neighbours stand', async () => {
    for (const key of ['one', 'two']) await at.filled(key, value());
    const two = await tracked('two');
    await tracked('one');
    await at.drop('one', { version: '9', xid: '' });
    expect(await at.standing('two')).toBe(two);
  });
});

it('never tells of a value that was changed before it was asked, however fast both are', async () => {
  const writer = await openRedisStore(server.url);
  const key = 'fast';
  await at.filled(key, value({ version: '1' }));
  await tracked(key);
  const gone: (string | undefined)[] = [];
  for (let round = 2; round < 500; round++) {
    const name = redis.key('e', key);
    await writer.cli.hdel(name, 'p');
    gone.push(await at.standing(key));
    await writer.cli.hset(name, 'p', `1:${round}:0`);
    expect(await at.standing(key)).toBe(`1:${round}:0`);
    expect(await at.standing(key)).toBe(`1:${round}:0`);
  }
  expect(new Set(gone)).toEqual(new Set([undefined]));
  await writer.store.close();
});

it('asks again for what changes while it is asked', async () => {
  for (const key of ['busy', 'quiet']) await at.filled(key, value());
  const quiet = await tracked('quiet');
  await tracked('busy');
  const noise = Array.from({ length: 2_000 }, (_, beat) => server.cli.hset(redis.key('e', 'busy'), 'x', beat));
  const metas = Array.from({ length: 2_000 }, (_, beat) => server.cli.hset(`${redis.key('', '')}m`, 'n', beat));
  for (let times = 0; times < 50; times++) expect(await at.standing('quiet')).toBe(quiet);
  await Promise.all([...noise, ...metas]);
});

it('goes on where the server begins another life with all that it held, until the next look at its meta', async () => {
  await at.filled('held', value());
  const before = await tracked('held');
  await server.cli.multi().replicaof('127.0.0.1', '1').replicaof('NO', 'ONE').exec();
  expect(await at.standing('held')).toBe(before); // on this connection, nothing has gone back
  await server.cli.hset(`${redis.key('', '')}m`, 'n', '1');
  const where = { ...at.where, items: [{ view: 'note', key: 'held' }] };
  expect(await redis.store.standing([where])).toEqual([{ kind: 'mismatch' }]);
});

it('takes partitions apart', async () => {
  await at.filled('here', value());
  await other.filled('there', value());
  const both = () =>
    redis.store.standing([
      { ...at.where, items: [{ view: 'note', key: 'here' }] },
      { ...other.where, items: [{ view: 'note', key: 'there' }] },
    ]);
  const first = await both();
  expect([await both(), await both()]).toEqual([first, first]);
  await other.next();
  expect(await both()).toEqual([first[0], { kind: 'mismatch' }]);
});

it('believes nothing of before once its connection was lost', async () => {
  await at.filled('lost', value());
  await tracked('lost');
  const before = await trackingIds();
  for (const id of before) await server.cli.client('KILL', 'ID', Number(id));
  await server.cli.del(redis.key('e', 'lost'));
  expect(await at.standing('lost')).toBeUndefined();
  await eventually(async () => (await trackingIds()).some((id) => !before.includes(id)));
  await at.filled('lost', value());
  const again = await tracked('lost');
  await at.fence(['lost'], '12', 'w1');
  expect([again !== '', await at.standing('lost')]).toEqual([true, undefined]);
});

it.each([
  ['may not track', '-client|tracking'],
  ['may not ask for a word', '-ping'],
])('is told so by the script where its user %s', async (_, right) => {
  const name = `u${randomBytes(4).toString('hex')}`;
  await server.cli.call('ACL', 'SETUSER', name, 'on', '>secret', '~*', '&*', '+@all', right);
  const under = await openRedisStore(server.url.replace('//', `//${name}:secret@`));
  const here = await Partition.begin(under.store, 3);
  await here.filled('note', value());
  const before = await here.standing('note');
  for (let times = 0; times < 4; times++) expect(await here.standing('note')).toBe(before);
  expect(before).toMatch(/^1:0*1:/);
  await under.store.close();
});

it('a silent server is told of in time, and is asked again once it speaks', async () => {
  const frozen = await startRedisServer();
  const under = await openRedisStore(frozen.url, 200);
  const here = await Partition.begin(under.store, 0);
  await here.filled('note', value());
  const before = await tracked('note', here);
  await frozen.freeze();
  const startedMs = performance.now();
  const [told] = await under.store.standing([{ ...here.where, items: [{ view: 'note', key: 'note' }] }]);
  expect(told).toMatchObject({ kind: 'unavailable', error: { kind: 'timeout' } });
  expect(performance.now() - startedMs).toBeLessThan(2_000);
  await frozen.thaw();
  await eventually(async () => (await here.standing('note').catch(() => undefined)) === before);
  await under.store.close();
  await frozen.close();
});

describe('a session', () => {
  /** The server's side: what it was sent, and a way to write. */
  function pair() {
    const written: string[] = [];
    const stream = new PassThrough({
      write: (chunk, _, done) => {
        written.push(String(chunk));
        done();
      },
    });
    const session = new TrackingSession(stream as never);
    return { stream, session, written, says: (text: string) => stream.emit('data', Buffer.from(text)) };
  }
  const opened = () => {
    const made = pair();
    made.says('%1\r\n+proto\r\n:3\r\n+OK\r\n');
    expect(made.session.isOpen).toBe(true);
    return made;
  };
  const ask = (session: TrackingSession, withinMs = 1_000) => {
    const heard: unknown[] = [];
    const ended = new Promise((end) =>
      session.ask([{ command: 'PING', hear: (reply) => heard.push(reply) }], withinMs, end),
    );
    return { heard, ended };
  };

  it('is open once the server tracks, and not before', () => {
    const { session, written, says } = pair();
    expect(written.join('')).toBe(
      '*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n*3\r\n$6\r\nCLIENT\r\n$8\r\nTRACKING\r\n$2\r\nON\r\n',
    );
    says('%1\r\n+proto\r\n:3\r\n');
    expect(session.isOpen).toBe(false);
    says('+OK\r\n');
    expect(session.isOpen).toBe(true);
  });

  it.each([
    ['has no RESP3', '-NOPROTO unsupported protocol version\r\n+OK\r\n'],
    ['does not track', '%1\r\n+proto\r\n:3\r\n-ERR unknown subcommand\r\n'],
  ])('is not opened where the server %s', (_, said) => {
    const { session, says } = pair();
    says(said);
    expect(session.isOpen).toBe(false);
  });

  it('gives each reply to who has asked, in order', async () => {
    const { session, says } = opened();
    const [first, second] = [ask(session), ask(session)];
    says('+one\r\n+t');
    says('wo\r\n');
    expect([await first.ended, first.heard, await second.ended, second.heard]).toEqual([
      'heard',
      ['one'],
      'heard',
      ['two'],
    ]);
  });

  it('ends, and tells all who wait, when the server is silent, is lost, or says what nobody has asked', async () => {
    const silent = opened();
    const [first, second] = [ask(silent.session, 20), ask(silent.session, 5_000)];
    expect([await first.ended, await second.ended, silent.session.isOpen]).toEqual(['silent', 'silent', false]);
    expect(silent.stream.destroyed).toBe(true);

    const lost = opened();
    const third = ask(lost.session);
    lost.session.end();
    expect([await third.ended, await ask(lost.session).ended]).toEqual(['lost', 'lost']);

    const talking = opened();
    talking.says('+unasked\r\n');
    expect(talking.session.isOpen).toBe(false);
    const broken = opened();
    broken.says('HTTP/1.1 400\r\n');
    expect(broken.session.isOpen).toBe(false);
  });

  it('knows nothing any more once it has ended', () => {
    const { session } = opened();
    const meta = session.keys.meta('m');
    meta.guard = { incarnation: 'a', epoch: '1', generation: '1' };
    session.end();
    expect(meta.guard).toBeUndefined();
  });
});
