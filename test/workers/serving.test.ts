// Several processes behind one port: each keeps the pledge beside the others, one may be killed, and what operators ask is
// answered for all of them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { familyOf, isRunning, type Line, type Machine, openLine, startMachine } from './machine.js';

/** Against hanging only: several processes are compiled as they start. */
const START_MS = 300_000;

let database: TestDatabase;
let machine: Machine;
let folder: string;

beforeAll(async () => {
  database = await createDatabase();
  folder = await mkdtemp(join(tmpdir(), 'espelho-workers-'));
  machine = await start();
}, START_MS);
afterAll(async () => {
  await machine.close();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

const start = () =>
  startMachine({
    WORKERS: '2',
    DATABASE_URL: database.url,
    REDIS_URL: inject('redisUrl'),
    ESPELHO_HOME: folder,
    ESPELHO_DEMO: '1',
    ESPELHO_LIMIT_DEADLINE_MS: '60000', // on a slow machine too
  });

const numbers = async () => (await fetch(`${machine.operations}/metrics`)).text();
const health = async (path: string) => {
  const response = await fetch(`${machine.operations}${path}`);
  return { status: response.status, body: await response.json() };
};
const deaths = async () => Number(/espelho_worker_deaths_total (\d+)/.exec(await numbers())?.[1]);
const allServe = () =>
  eventually(async () => (await numbers()).includes('espelho_workers{state="serving"} 2'), 200_000);

/** Two connections, each to another worker. */
async function twoLines(): Promise<readonly [Line, Line]> {
  const worker = async (line: Line) => machine.workerOf((await line.ask('{ __typename }')).requestId);
  const one = openLine(machine.url);
  const first = await worker(one);
  const other = await eventually(async () => {
    const line = openLine(machine.url);
    if ((await worker(line)) !== first) return line;
    line.close();
    return undefined;
  });
  return [one, other];
}

const saying = (
  key: string,
  title: string,
) => `mutation { saveMenu(input: {key: "${key}", title: "${title}", items: []}) {
  ... on SaveMenuPayload { receipt { visible } } } }`;
/** Resolves once the mutation is acknowledged as visible; what is not is sent again. */
const acknowledged = (line: Line, mutation: string, field: string, role: string) =>
  eventually(async () => (await line.ask(mutation, machine.tokens.get(role))).data?.[field]?.receipt?.visible === true);

/** What a query is answered with; a refusal of a starved machine is no answer. */
const answered = (line: Line, query: string) => eventually(async () => (await line.ask(query)).data ?? undefined);

const reading = (key: string) => `{ menu(key: "${key}") { title } }`;

describe('several workers', () => {
  it('are gateways of their own, each with its lease, behind one port', async () => {
    expect(machine.workers()).toHaveLength(2);
    const alive = () => database.psql`SELECT id FROM gateway WHERE alive_until > now()`;
    await eventually(async () => (await alive()).length === 2);
    const lines = await twoLines();
    for (const line of lines) line.close();
  });

  it('read what another has written as soon as that is acknowledged, executed or given again', async () => {
    const [one, other] = await twoLines();
    for (let round = 0; round < 20; round++) {
      const [writer, reader] = round % 2 === 0 ? [one, other] : [other, one];
      const title = `Round ${round}`;
      await acknowledged(writer, saying('shared', title), 'saveMenu', 'back-office');
      for (let time = 0; time < 3; time++) {
        for (const line of [reader, writer])
          expect(await answered(line, reading('shared'))).toEqual({ menu: { title } });
      }
    }
    await eventually(async () => /espelho_answers_total\{outcome="given",worker="\d"\} [1-9]/.test(await numbers()));
    for (const line of [one, other]) line.close();
  });

  it('refuse a token that was revoked at another, from the moment that this is acknowledged', async () => {
    const officer = machine.tokens.get('security-officer') ?? '';
    const [one, other] = await twoLines();
    const issue = `mutation { issueToken(input: {name: "two", subject: "tester", scopes: []}) {
      ... on IssueTokenPayload { secret token { id } } } }`;
    const { secret, token } = await eventually(async () => (await one.ask(issue, officer)).data?.issueToken);
    // 503 is no answer: a machine that is starved may give none.
    const status = (line: Line) =>
      eventually(async () => {
        const { status } = await line.ask('{ viewer { subject } }', secret);
        return status !== 503 && status;
      });
    for (const line of [one, other, one, other]) expect(await status(line)).toBe(200);
    const revoke = `mutation { revokeToken(id: "${token.id}") { ... on RevokeTokenPayload { receipt { visible } } } }`;
    await acknowledged(other, revoke, 'revokeToken', 'security-officer');
    for (const line of [one, other]) expect(await status(line)).toBe(401);
    for (const line of [one, other]) line.close();
  });

  it('answer for health as one', async () => {
    const workers = { wanted: 2, serving: 2 };
    const ready = { status: 200, body: { ready: true, postgres: 'up', cache: 'trusted', workers } };
    // A starved worker may be late: then it is not said to be well.
    await eventually(async () => (await health('/livez')).status === 200);
    await eventually(async () => isDeepStrictEqual(await health('/readyz'), ready));
    for (const path of ['/livez', '/readyz']) {
      await eventually(async () => (await fetch(`${machine.url}${path}`)).status === 200);
    }
  });

  it('show their numbers together, apart from the port of requests', async () => {
    const lines = await twoLines();
    for (const line of lines) await answered(line, reading('main'));
    const served = (worker: number) =>
      new RegExp(`espelho_requests_total\\{path="/graphql",type="query",outcome="ok",worker="${worker}"\\} [1-9]`);
    const trusted = (worker: number) => `espelho_partition_trusted{partition="0",worker="${worker}"} 1`;
    await eventually(async () => {
      const text = await numbers();
      return [1, 2].every((worker) => served(worker).test(text) && text.includes(trusted(worker)));
    });
    const text = await numbers();
    expect(text).toContain('process_resident_memory_bytes{worker="primary"}');
    expect(text).toContain('espelho_workers{state="wanted"} 2');
    expect((await fetch(`${machine.url}/metrics`)).status).toBe(404);
    for (const line of lines) line.close();
  });
});

describe('a worker that is killed with -9', () => {
  it('takes no other along, makes no answer wrong, and is followed by another', { timeout: START_MS }, async () => {
    const token = machine.tokens.get('back-office') ?? '';
    let newest = 0;
    let ended = false;
    let read = 0;
    const wrong: string[] = [];
    const reader = async () => {
      let line = openLine(machine.url);
      while (!ended) {
        await setTimeout(5); // leaves the machine to the worker that starts
        const least = newest;
        const title = await line.ask(reading('killed')).then(
          ({ data }) => data?.menu?.title as string | undefined,
          () => {
            line.close();
            line = openLine(machine.url);
            return undefined;
          },
        );
        if (title === undefined) continue;
        read++;
        if (Number(title) < least) wrong.push(`${title} after ${least}`);
      }
      line.close();
    };
    const writer = async () => {
      let line = openLine(machine.url);
      for (let count = 1; !ended; count++) {
        await setTimeout(5);
        const visible = await line.ask(saying('killed', String(count)), token).then(
          ({ data }) => data?.saveMenu?.receipt?.visible === true,
          () => {
            line.close();
            line = openLine(machine.url);
            return false;
          },
        );
        if (visible) newest = count;
      }
      line.close();
    };
    const running = [writer(), reader(), reader(), reader()];
    try {
      await eventually(() => newest > 5 && read > 20);
      const before = machine.workers();
      const [killed = 0] = before;
      const died = await deaths();
      process.kill(killed, 'SIGKILL');
      await eventually(async () => (await deaths()) === died + 1);
      await eventually(() => machine.workers().length === 2, 200_000);
      await allServe();
      expect(machine.workers()).not.toContain(killed);
      expect(machine.workers()).toContain(before[1]);
      const [from, seen] = [newest, read];
      await eventually(() => newest > from + 5 && read > seen + 20, 60_000);
    } finally {
      ended = true;
      await Promise.all(running);
    }
    expect(wrong).toEqual([]);
    expect(machine.log).toContainEqual(
      expect.objectContaining({ worker: 'primary', died: expect.any(Number), how: 'SIGKILL' }),
    );
    await eventually(async () => (await health('/readyz')).status === 200);
  });

  it('is not alive and not ready for as long as it only stands still', async () => {
    const [frozen = 0] = machine.workers();
    process.kill(frozen, 'SIGSTOP');
    try {
      expect(await health('/livez')).toEqual({ status: 503, body: { live: false } });
      expect(await health('/readyz')).toMatchObject({ status: 503, body: { ready: false } });
    } finally {
      process.kill(frozen, 'SIGCONT');
    }
    await eventually(async () => (await health('/livez')).status === 200);
    await eventually(async () => (await health('/readyz')).status === 200);
  });
});

describe('the end leaves no process', () => {
  const ends: readonly (readonly [string, (first: number) => unknown, number | null])[] = [
    ['of a signal to the first process', (first) => process.kill(first, 'SIGTERM'), 0],
    ['of Ctrl-C, which reaches all of them', (first) => process.kill(-first, 'SIGINT'), 0],
    ['of kill -9 of the first process', (first) => process.kill(first, 'SIGKILL'), null],
  ];
  it.each(ends)('%s', { timeout: START_MS }, async (_, end, code) => {
    if (machine.process.exitCode !== null || machine.process.signalCode !== null) machine = await start();
    const first = machine.process.pid ?? 0;
    const family = familyOf(first);
    expect(family.length).toBeGreaterThanOrEqual(3);
    end(first);
    await eventually(() => !family.some(isRunning), 40_000);
    await eventually(() => machine.process.exitCode !== null || machine.process.signalCode !== null);
    expect(machine.process.exitCode).toBe(code);
    await expect(fetch(`${machine.url}/livez`)).rejects.toThrow();
  });
});
