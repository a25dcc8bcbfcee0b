// What every mutation promises, whatever happens between its first statement and its answer: all or nothing, an answer
// that tells which, and readers who see what was committed.
import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Db, type Tx, txQuery } from '../../src/db/index.js';
import { type Context, contextOfViewer, NOBODY, type Services } from '../../src/resolvers/index.js';
import { write } from '../../src/resolvers/write.js';
import { type Api, type Caller, startApi } from '../support/api.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { startRedisServer } from '../support/redis.js';
import { openWire, type Wire } from '../support/wire.js';

/** As in src/resolvers/write.ts. */
const TRANSACTION_DEADLINE_MS = 15_000;
const editor = { scopes: ['menus:read', 'menus:write'] };

let database: TestDatabase;
let wire: Wire;
let api: Api;
beforeAll(async () => {
  database = await createDatabase();
  wire = await openWire(database.url);
  api = await startApi({ database: { ...database, url: wire.url } });
});
afterAll(async () => {
  await api.close();
  await wire.close();
  await database.close();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** A menu of one item, labelled old, warm in the cache. */
async function makeMenu(from = api): Promise<string> {
  const key = `menu-${randomUUID()}`;
  const input = { key, title: 'T', items: [{ key: 'x', label: 'old' }] };
  const { data, errors } = await from.ask(
    `mutation ($input: SaveMenuInput!) { saveMenu(input: $input) { ... on SaveMenuPayload { receipt { visible } } } }`,
    editor,
    { input },
  );
  expect(errors).toEqual([]);
  expect(data.saveMenu.receipt.visible).toBe(true);
  await standsAs('old', key, from);
  return key;
}

const rename = (key: string, label: string, services: Caller['services'] = {}, on = api) =>
  on.ask(
    `mutation ($key: String!, $label: String!) { renameMenuItem(key: $key, item: "x", label: $label) {
      ... on RenameMenuItemPayload { receipt { visible } menu { items { label } } } } }`,
    { ...editor, services },
    { key, label },
  );

const renamed = (label: string) => ({ receipt: { visible: true }, menu: { items: [{ label }] } });

/** What a caller reads, and how the cache came by it. */
async function read(key: string, on = api): Promise<[label: string, outcome: string | undefined]> {
  const { data, trace } = await on.ask(`query ($key: String!) { menu(key: $key) { items { label } } }`, {}, { key });
  return [data.menu.items[0].label, trace[0]?.outcome];
}

/** Resolves once the value comes out of the store. Before, too, it is never another one. */
const standsAs = (label: string, key: string, on = api) =>
  eventually(async () => {
    const [seen, outcome] = await read(key, on);
    expect(seen).toBe(label);
    return outcome === 'HIT';
  });

const audited = async (key: string, by = database) =>
  (await by.psql`SELECT action FROM changes WHERE key = ${`${key}:en`} AND action = 'renameMenuItem'`).length;

const storyOf = (key: string) =>
  api.events.flatMap((event) => ('key' in event && event.key === `${key}:en` ? [event.kind] : []));

interface Hooks {
  readonly begin?: () => Promise<void>;
  readonly first?: (tx: Tx) => Promise<void>;
  readonly last?: (tx: Tx) => Promise<void>;
}

/** The gateway's database with something to do before each transaction, before its body, or before its COMMIT. */
function dbWith(hooks: Hooks): Db {
  const { db } = api.gateway.services;
  const transaction: Db['transaction'] = async (body, config) => {
    await hooks.begin?.();
    return db.transaction(async (tx) => {
      await hooks.first?.(tx);
      const result = await body(tx);
      await hooks.last?.(tx);
      return result;
    }, config);
  };
  return Object.assign(Object.create(db), { transaction });
}

function contextWith(services: Partial<Services>): Context {
  const own = api.gateway.services;
  return contextOfViewer({ ...own, ...services }, NOBODY, true);
}

/** A place to wait at, and whether somebody does. */
function gate() {
  let open = () => {};
  let arrive = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const pass = async () => {
    arrive();
    await opened;
  };
  return { pass, reached, open };
}

/** Timers of this length do not run by themselves. */
function holdTimers(lengthMs: number) {
  const run = setTimeout;
  const held: (() => void)[] = [];
  vi.stubGlobal('setTimeout', (act: () => void, ms?: number, ...rest: unknown[]) => {
    if (ms === lengthMs) held.push(act);
    return ms === lengthMs ? run(() => {}, 0) : run(act, ms, ...rest);
  });
  return {
    elapse: () => {
      for (const act of held) act();
    },
  };
}

/** Resolves once `count` sessions of this database wait for a lock. */
const waiting = (count: number) =>
  eventually(async () => {
    const rows = await database.psql`
      SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return rows.length >= count;
  });

describe('when the connection is lost at COMMIT', () => {
  it('a transaction that was committed is acknowledged and visible', async () => {
    const key = await makeMenu();
    wire.loseNextCommit();
    const { data, errors } = await rename(key, 'new');
    expect(errors).toEqual([]);
    expect(data.renameMenuItem).toEqual(renamed('new'));
    await standsAs('new', key);
    expect(await audited(key)).toBe(1);
  });

  it('a transaction that was not answers UNAVAILABLE and leaves nothing, not even a fence', async () => {
    const key = await makeMenu();
    const last = async (tx: Tx) => {
      const [backend] = await txQuery(tx)<{ pid: number }>(sql`SELECT pg_backend_pid() AS pid`);
      const pid = backend?.pid ?? 0;
      await database.psql`SELECT pg_terminate_backend(${pid})`;
      await eventually(async () => (await database.psql`SELECT FROM pg_stat_activity WHERE pid = ${pid}`).length === 0);
    };
    const { errors } = await rename(key, 'never', { db: dbWith({ last }) });
    expect(errors.map(({ code }) => code)).toEqual(['UNAVAILABLE']);
    await eventually(() => storyOf(key).at(-1) === 'lifted');
    expect(await read(key)).toEqual(['old', 'HIT']);
    expect(await audited(key)).toBe(0);
  });

  it('a transaction of which nobody can tell may have been written: the answer says so, and readers find out', async () => {
    const key = await makeMenu();
    const commit = gate();
    const answer = rename(key, 'never', { db: dbWith({ last: commit.pass }) });
    await commit.reached;
    wire.cut();
    const { errors } = await answer;
    expect(errors).toEqual([{ code: 'UNAVAILABLE', message: expect.stringContaining('it may have been written') }]);
    wire.mend();
    commit.open();
    await eventually(async () => (await read(key).catch(() => []))[1] === 'HIT');
    expect(await read(key)).toEqual(['old', 'HIT']);
    expect(await audited(key)).toBe(0);
  });
});

describe('a transaction that takes too long', () => {
  it('is given up, and what it did is rolled back', async () => {
    const key = await makeMenu();
    const deadline = holdTimers(TRANSACTION_DEADLINE_MS);
    const released = gate();
    const holder = database.psql.begin(async (psql) => {
      await psql`SELECT FROM entry WHERE view = 'menu' AND key = ${`${key}:en`} FOR UPDATE`;
      await released.pass();
    });
    await released.reached;
    const answer = rename(key, 'never');
    await waiting(1);
    deadline.elapse();
    expect((await answer).errors.map(({ code }) => code)).toEqual(['UNAVAILABLE']);
    released.open();
    await holder;
    await eventually(() => storyOf(key).at(-1) === 'lifted');
    expect(await read(key)).toEqual(['old', 'HIT']);
    expect(await audited(key)).toBe(0);
  });

  it('is not begun any more, once it was given up', async () => {
    const key = await makeMenu();
    const deadline = holdTimers(TRANSACTION_DEADLINE_MS);
    const [start, ended] = [gate(), gate()];
    const db = dbWith({ first: start.pass });
    const transaction: Db['transaction'] = (body, config) => db.transaction(body, config).finally(ended.pass);
    ended.open();
    const answer = rename(key, 'never', { db: Object.assign(Object.create(db), { transaction }) });
    await start.reached;
    deadline.elapse();
    expect((await answer).errors.map(({ code }) => code)).toEqual(['UNAVAILABLE']);
    const before = storyOf(key).length;
    start.open();
    await ended.reached;
    expect(storyOf(key).slice(before)).not.toContain('fenced');
    expect(await audited(key)).toBe(0);
  });

  it('once fenced, is waited for, because it may commit yet', async () => {
    const key = await makeMenu();
    const deadline = holdTimers(TRANSACTION_DEADLINE_MS);
    const commit = gate();
    const answer = rename(key, 'new', { db: dbWith({ last: commit.pass }) });
    await commit.reached;
    deadline.elapse();
    commit.open();
    expect((await answer).data.renameMenuItem).toEqual(renamed('new'));
    expect((await read(key))[0]).toBe('new');
    expect(await audited(key)).toBe(1);
  });
});

describe('when psql holds the rows', () => {
  const attemptsWith = (before: (attempt: number) => Promise<void>) => {
    let attempt = 0;
    return {
      db: dbWith({ begin: () => before(++attempt) }),
      made: () => attempt,
    };
  };

  it('a mutation reads nothing before it holds the locks: what it changes is what the edit left', async () => {
    const key = await makeMenu();
    const released = gate();
    const edit = database.psql.begin(async (psql) => {
      await psql`UPDATE menu_items SET label = 'by hand' WHERE menu_id = (SELECT id FROM menus WHERE key = ${key})`;
      await released.pass();
    });
    await released.reached;
    const renaming = rename(key, 'new');
    await waiting(1);
    released.open();
    await edit;
    expect((await renaming).data.renameMenuItem).toEqual(renamed('new'));
    const [change] =
      await database.psql`SELECT before FROM changes WHERE action = 'renameMenuItem' AND key = ${`${key}:en`}`;
    expect(change?.before).toEqual({ item: 'x', label: 'by hand' });
  });

  it('a mutation that expects another version changes nothing, although its first statements were sent', async () => {
    const key = await makeMenu();
    const plan = {
      action: 'renameMenu',
      domain: 'MENU',
      key,
      roots: [{ view: 'menu', key: `${key}:en` }],
      options: { expectedVersion: 1n },
    } as const;
    const writing = write(contextWith({}), plan, async (tx) => {
      await txQuery(tx)(sql`UPDATE menus SET title = 'never' WHERE key = ${key}`);
      throw new Error('not what the caller is to hear');
    });
    await expect(writing).rejects.toMatchObject({ code: 'CONFLICT' });
    const [menu] = await database.psql`SELECT title FROM menus WHERE key = ${key}`;
    expect(menu?.title).toBe('T');
  });

  it('a mutation gives way and tries again', async () => {
    const key = await makeMenu();
    const released = gate();
    const edit = database.psql.begin(async (psql) => {
      await psql`UPDATE menus SET title = 'by hand' WHERE key = ${key}`;
      await released.pass();
    });
    await released.reached;
    const attempts = attemptsWith(async (attempt) => {
      if (attempt !== 2) return;
      released.open();
      await edit;
    });
    const { data } = await rename(key, 'new', { db: attempts.db });
    expect(data.renameMenuItem).toEqual(renamed('new'));
    expect(attempts.made()).toBe(2);
    const { data: seen } = await api.ask(`query ($key: String!) { menu(key: $key) { title } }`, {}, { key });
    expect(seen.menu.title).toBe('by hand');
  });

  it('a mutation that never gets them answers UNAVAILABLE and writes nothing', async () => {
    const key = await makeMenu();
    const released = gate();
    const edit = database.psql.begin(async (psql) => {
      await psql`UPDATE menus SET title = 'by hand' WHERE key = ${key}`;
      await released.pass();
    });
    await released.reached;
    const attempts = attemptsWith(async () => {});
    const { errors } = await rename(key, 'never', { db: attempts.db });
    expect(errors).toEqual([{ code: 'UNAVAILABLE', message: 'Other writers hold the same rows; try again.' }]);
    expect(attempts.made()).toBe(3);
    released.open();
    await edit;
    expect((await read(key))[0]).toBe('old');
    expect(await audited(key)).toBe(0);
  });

  it('in the other order, the edit goes first and the mutation after it', async () => {
    const key = await makeMenu();
    let edit: Promise<unknown> = Promise.resolve();
    const plan = {
      action: 'renameMenu',
      domain: 'MENU',
      key,
      roots: [{ view: 'menu', key: `${key}:en` }],
      options: undefined,
    } as const;
    const attempts = attemptsWith(async () => {});
    const { receipt } = await write(contextWith({ db: attempts.db }), plan, async (tx) => {
      await txQuery(tx)(sql`SELECT 1`); // once this is answered, the root is locked
      if (attempts.made() === 1) {
        edit = database.psql.begin(async (psql) => {
          await psql`SET LOCAL deadlock_timeout = '10s'`; // so that it is not psql who finds the deadlock
          await psql`UPDATE menus SET title = title || ' by hand' WHERE key = ${key}`;
        });
        await waiting(1);
      }
      await txQuery(tx)(sql`UPDATE menus SET title = title || ' by gateway' WHERE key = ${key}`);
      return { result: undefined };
    });
    await edit;
    expect(receipt.visible).toBe(true);
    expect(attempts.made()).toBeGreaterThan(1);
    const { data } = await api.ask(`query ($key: String!) { menu(key: $key) { title } }`, {}, { key });
    expect(data.menu.title).toBe('T by hand by gateway');
  });
});

it('more entries than one acknowledgement can fence are acknowledged when the relay has carried them over', async () => {
  const number = `bulk-${randomUUID()}`;
  await database.psql`
    INSERT INTO accounts (number, holder, currency, time_zone, opening) VALUES (${number}, 'ana', 'BRL', 'UTC', 0)`;
  await database.psql`
    INSERT INTO business_days (account_id, date, revision, status, opening, credits, debits, closing, count)
    SELECT id, day, 1, 'CLOSED', 0, 0, 0, 0, 0
    FROM accounts, generate_series(date '2020-01-01', date '2020-12-31', interval '1 day') AS day WHERE number = ${number}`;
  await database.psql`SELECT cache_barrier('30 seconds')`;
  const readHolder = async () => {
    const { data } = await api.ask(
      `query ($number: String!) { account(number: $number) { holder } statement(account: $number) { date } }`,
      { subject: 'officer', scopes: ['statements:read-any'] },
      { number },
    );
    return data.account.holder;
  };
  expect(await readHolder()).toBe('ana');
  api.events.length = 0;
  const plan = {
    action: 'handOver',
    domain: 'STATEMENT',
    key: number,
    roots: [{ view: 'account', key: number }],
    options: undefined,
  } as const;
  const { receipt } = await write(contextWith({}), plan, async (tx) => {
    await txQuery(tx)(sql`UPDATE accounts SET holder = 'bruno' WHERE number = ${number}`);
    return { result: undefined };
  });
  expect(receipt.visible).toBe(true);
  expect(await readHolder()).toBe('bruno');
  expect(api.events.filter(({ kind }) => kind === 'fence' || kind === 'published')).toEqual([]);
  expect(api.events.some((event) => event.kind === 'relayed' && event.entries > 500)).toBe(true);
});

it('writing goes on while Redis is down, and what was written is what everybody reads, then and afterwards', async () => {
  const redis = await startRedisServer();
  const own = await createDatabase();
  const other = await startApi({ database: own, redisUrl: redis.url });
  try {
    const key = await makeMenu(other);
    await redis.kill();
    await eventually(async () => {
      const { data, errors } = await rename(key, 'new', {}, other);
      expect(errors.map(({ code }) => code).filter((code) => code !== 'CACHE_UNREACHABLE')).toEqual([]);
      return data?.renameMenuItem?.receipt.visible === true;
    });
    expect(await read(key, other)).toEqual(['new', 'BYPASS']);
    expect(await audited(key, own)).toBe(1);
    await redis.restart('empty');
    await eventually(() => other.gateway.services.cache.status().trusted);
    expect((await rename(key, 'newer', {}, other)).data.renameMenuItem).toEqual(renamed('newer'));
    await standsAs('newer', key, other);
    expect(await audited(key, own)).toBe(2);
  } finally {
    await other.close();
    await own.close();
    await redis.close();
  }
});
