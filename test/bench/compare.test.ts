// The comparison with other servers: what it counts, what it refuses, and that it runs at all.
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { checkAnswers } from '../../bench/compare/check.js';
import { type Entrant, entrants, type Running, start } from '../../bench/compare/contestants.js';
import { resultOf } from '../../bench/compare/figures.js';
import { takeSlice } from '../../bench/compare/load.js';
import { measure, openGenerator } from '../../bench/compare/measure.js';
import { withFigures } from '../../bench/compare/publish.js';
import { countIn, poolsOf, type Request, renameOf } from '../../bench/compare/requests.js';
import { seed } from '../../bench/compare/seed.js';
import { sizeOf } from '../../bench/compare/size.js';
import { tableOf } from '../../bench/compare/table.js';
import { openServers } from '../../bench/support/servers.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let close = closers.shift(); close; close = closers.shift()) await close();
});

const size = { ...sizeOf(100), menus: 40, accounts: 5, tokens: 5, environments: 2, batches: 5 };
const pools = poolsOf(size);

describe('the count of stale answers', () => {
  it('counts each read that shows less than what was acknowledged before it began', async () => {
    const port = await menuServer(() => 0);
    const slice = await askInTurn(port, [read(), write(1), read(), read()]);
    expect(slice).toMatchObject({ requests: 4, stale: 2, failed: 0 });
  });

  it('counts nothing where reads show what was written', async () => {
    const port = await menuServer((written) => written);
    expect(await askInTurn(port, [read(), write(1), read(), write(2), read()])).toMatchObject({ stale: 0, failed: 0 });
  });

  it('counts answers with errors as failed, and not among those per second', async () => {
    const { port } = await serving((_, answer) => answer('{"errors":[{"message":"no"}]}'));
    const slice = await askInTurn(port, [read(), read()]);
    expect(slice).toMatchObject({ requests: 2, failed: 2, perSecond: 0, stale: 0 });
    expect(slice.failure).toContain('no');
  });
});

describe('the comparison of answers', () => {
  it('refuses contestants that answer otherwise than the first one', async () => {
    const one = await contestant('{"data":{"menu":{"title":"A"}}}');
    const other = await contestant('{"data":{"menu":{"title":"B"}}}');
    await expect(checkAnswers([one, one], [pools.menu])).resolves.toBeGreaterThan(0);
    await expect(checkAnswers([one, other], [pools.menu])).rejects.toThrow('"title":"B"');
  });

  it('refuses contestants that all fail in the same way', async () => {
    const nothing = await contestant('{"data":{"menu":null}}');
    await expect(checkAnswers([nothing, nothing], [pools.menu])).rejects.toThrow('answers 200');
  });
});

describe('the page of figures', () => {
  const report = { about: { at: '2026-01-31T00:00:00Z' }, titles: { warm: 'warm reads' }, results: { warm: [] } };

  it('has those of this run in place of those before', () => {
    const page = readFileSync('docs/performance.md', 'utf8');
    const once = withFigures(page, report);
    expect(once).toContain('warm reads');
    expect(withFigures(once, report)).toBe(once);
  });

  it('is left alone without its marks', () => {
    expect(() => withFigures('# Another page', report)).toThrow('lacks the marks');
  });
});

it('measures the gateway beside node:http with the same answers, reads and writes', async () => {
  const servers = await openServers();
  closers.unshift(servers.close);
  const databases = await seed(servers, size, async () => {});
  const cores = { count: 1, told: '', forServer: () => [] };
  const running: Running[] = [];
  for (const entrant of entrants.filter(({ name }) => name === 'p0' || name === 'espelho')) {
    const one = await start(entrant, running.length, { servers, databases, cores, peers: 'bench/peers/' });
    closers.unshift(one.stop);
    running.push(one);
  }
  const { menu, flags, statement, introspect, batch, scope } = pools;
  expect(await checkAnswers(running, [menu, flags, statement, introspect, batch, scope])).toBeGreaterThan(20);
  const generator = openGenerator(size);
  closers.unshift(generator.close);
  const entries = await measure('mixed', running, { seconds: 0.5, repeats: 1 }, generator);
  const results = entries.map((entry) => resultOf(entry, entries[0]?.rounds));
  expect(results.map(({ name }) => name)).toEqual(['p0', 'espelho']);
  for (const { requests } of results) expect(requests).toBeGreaterThan(0);
  expect(results[1]?.stale, tableOf(results)).toBe(0);
}, 180_000);

const read = () => pools.menu.at(0);
const write = (count: number): Request => ({ ...renameOf('menu-0', count), menu: 'menu-0' });

function askInTurn(port: number, requests: readonly Request[]) {
  let asked = 0;
  const writes = { acknowledged: new Map<string, number>(), writing: new Set<string>() };
  return takeSlice({ port, connections: 1, writes, next: () => requests[asked++], ms: 60_000 });
}

/** Renames the one menu there is; `shown` says which write its readers see. */
async function menuServer(shown: (written: number) => number): Promise<number> {
  let written = 0;
  const { port } = await serving((body, answer) => {
    if (!body.includes('mutation')) return answer(`{"data":{"menu":{"items":[{"label":"W${shown(written)}"}]}}}`);
    written = countIn(Buffer.from(body));
    answer('{"data":{"renameMenuItem":{"__typename":"RenameMenuItemPayload"}}}');
  });
  return port;
}

async function contestant(text: string): Promise<Running> {
  const { port } = await serving((_, answer) => answer(text));
  const entrant: Entrant = {
    name: text,
    title: text,
    runs: { kind: 'espelho', env: {} },
    workers: 1,
    notIn: [],
    answers: true,
  };
  const use = () => ({ cpuUs: 0, rssMiB: 0, processes: 1 });
  return { entrant, port, lane: 0, use, stop: async () => {} };
}

async function serving(handle: (body: string, answer: (text: string) => void) => void): Promise<{ port: number }> {
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => handle(body, (text) => void response.end(text)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.unshift(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  const address = server.address();
  return { port: typeof address === 'object' && address ? address.port : 0 };
}
