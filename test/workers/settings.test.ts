// How many processes serve is said by one setting, and what cannot work is refused with a sentence.
import { expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.js';
import { openSite } from '../../src/main/site.js';
import { newHome } from '../embedded/homes.js';

const machineOf = (env: NodeJS.ProcessEnv) => readConfig(env, []).machine;

function faultsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(env, []);
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.faults : [String(error)];
  }
}

it('is one process unless WORKERS says more', () => {
  expect(machineOf({}).workers).toBe(1);
  expect(machineOf({ WORKERS: '' }).workers).toBe(1);
  expect(machineOf({ WORKERS: '4' }).workers).toBe(4);
  expect(machineOf({ ESPELHO_WORKERS: '4' }).workers).toBe(4);
  expect(machineOf({ WORKERS: '2', ESPELHO_WORKERS: '2' }).workers).toBe(2);
});

it.each(['0', 'x', '1000', '-1', '1.5', '2 3'])('refuses WORKERS=%s', (text) => {
  const sentence = 'must be a whole number from 1 to 64; leave it unset for one process.';
  expect(faultsOf({ WORKERS: text })).toEqual([`WORKERS ${sentence}`]);
  expect(faultsOf({ ESPELHO_WORKERS: text })).toEqual([`ESPELHO_WORKERS ${sentence}`]);
});

it('refuses two numbers', () => {
  expect(faultsOf({ WORKERS: '2', ESPELHO_WORKERS: '3' })).toEqual([
    'WORKERS and ESPELHO_WORKERS are the same setting and say different things; remove one of them.',
  ]);
});

it('refuses workers without a Redis to share', async () => {
  const config = readConfig(
    { WORKERS: '3', DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', ESPELHO_HOME: await newHome() },
    [],
  );
  const closers: never[] = [];
  await expect(openSite(config, closers)).rejects.toThrow(
    'WORKERS=3 takes a Redis that the workers share, and there is none: set REDIS_URL',
  );
  expect(closers).toEqual([]);
});

it('shows the numbers beside requests in development, and else only on a port of their own', () => {
  expect(machineOf({})).toMatchObject({ metrics: undefined, metricsBesideRequests: true });
  expect(machineOf({ NODE_ENV: 'production' })).toMatchObject({ metrics: undefined, metricsBesideRequests: false });
  const own = { ESPELHO_METRICS_PORT: '9464', ESPELHO_METRICS_HOST: '0.0.0.0' };
  expect(machineOf(own)).toMatchObject({ metrics: { host: '0.0.0.0', port: 9_464 }, metricsBesideRequests: false });
  expect(faultsOf({ ESPELHO_METRICS_PORT: 'x' })).toHaveLength(1);
  expect(faultsOf({ ESPELHO_METRICS_HOST: '0.0.0.0' })).toEqual([
    'ESPELHO_METRICS_HOST says where ESPELHO_METRICS_PORT is; set that one, too.',
  ]);
});
