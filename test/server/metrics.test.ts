// The numbers of a gateway: what they count, how they read, and who sees them.
import { afterEach, describe, expect, it } from 'vitest';
import { Measures } from '../../src/main/measures.js';
import { makeLogger, metricsText, type Operations, startOperations } from '../../src/server/index.js';
import { startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startGateway } from './gateway.js';

const QUIET = { inFlight: 0, subscriptions: 0, delayMs: 0, answersBytes: 0, answered: [] };

/** Resolves to the value of a line; 0 where there is none. */
function numberIn(text: string, name: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}

describe('the numbers', () => {
  it('tell misses, refills and hits by view, and the trust of each partition', async () => {
    const api = await startApi();
    const measures = new Measures(api.gateway.services.cache);
    const text = () => metricsText(measures.samples(QUIET, '1'));
    const labels = (outcome: string) => `{view="menu",outcome="${outcome}",worker="1"}`;
    const read = () => api.ask('{ menu(key: "counted") { title } }');
    await eventually(async () => (await read()) && numberIn(text(), `espelho_cache_reads_total${labels('hit')}`) > 0);
    expect(numberIn(text(), `espelho_cache_reads_total${labels('miss')}`)).toBeGreaterThan(0);
    expect(numberIn(text(), `espelho_cache_refills_total${labels('filled')}`)).toBeGreaterThan(0);
    expect(numberIn(text(), 'espelho_cache_loads_total{view="menu",worker="1"}')).toBeGreaterThan(0);
    expect(text().match(/espelho_partition_trusted\{partition="\d+",worker="1"\} [01]/g)).toHaveLength(16);
    await api.close();
  });

  it('read as Prometheus wants them: each family once, with its kind', () => {
    const labels = { view: 'a"b\\c\nd', worker: '1' };
    const text = metricsText([
      { family: 'espelho_cache_loads_total', labels, value: 1 },
      { family: 'espelho_requests_in_flight', labels: {}, value: 2.5 },
      { family: 'espelho_cache_loads_total', labels: { worker: '2' }, value: 3 },
    ]);
    expect(text.split('\n').filter((line) => !line.startsWith('# HELP'))).toEqual([
      '# TYPE espelho_requests_in_flight gauge',
      'espelho_requests_in_flight 2.5',
      '# TYPE espelho_cache_loads_total counter',
      'espelho_cache_loads_total{view="a_b_c_d",worker="1"} 1',
      'espelho_cache_loads_total{worker="2"} 3',
      '',
    ]);
  });
});

describe('a port of their own', () => {
  let open: Operations | undefined;
  afterEach(() => open?.close());

  it('serves health and numbers, and nothing else', async () => {
    const readiness = {
      ready: false,
      postgres: 'down',
      cache: 'degraded',
      workers: { wanted: 2, serving: 0 },
    } as const;
    open = await startOperations({
      host: '127.0.0.1',
      port: 0,
      liveness: async () => false,
      readiness: async () => readiness,
      metrics: async () => metricsText([]),
      logger: makeLogger({ level: 'silent' }),
    });
    const { url } = open;
    const get = async (path: string) => {
      const response = await fetch(url + path);
      return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
    };
    expect(await get('/metrics')).toMatchObject({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' });
    expect(await get('/livez')).toMatchObject({ status: 503, text: '{"live":false}' });
    const { status, text } = await get('/readyz');
    expect({ status, ...JSON.parse(text) }).toEqual({ status: 503, ...readiness });
    for (const path of ['/', '/graphql', '/inspect']) expect((await get(path)).status).toBe(404);
  });

  it('is refused with the name of its setting when it is taken', async () => {
    const options = {
      host: '127.0.0.1',
      liveness: async () => true,
      readiness: async () => ({ ready: true, postgres: 'up', cache: 'trusted' }) as const,
      metrics: async () => '',
      logger: makeLogger({ level: 'silent' }),
    };
    open = await startOperations({ ...options, port: 0 });
    const port = Number(new URL(open.url).port);
    await expect(startOperations({ ...options, port })).rejects.toThrow(
      `ESPELHO_METRICS_PORT ${port} is taken by another program; set ESPELHO_METRICS_PORT to another one, or to 0 for any free port.`,
    );
  });
});

describe('the port of requests', () => {
  it('serves no numbers unless it is told to', async () => {
    const { url } = await startGateway();
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
  });

  it('serves them where it is, to nobody who would change anything', async () => {
    const { url } = await startGateway({ metrics: async () => 'espelho_workers 1\n' });
    expect(await (await fetch(`${url}/metrics`)).text()).toBe('espelho_workers 1\n');
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
  });
});
