// Each text that a mutation takes has a maximum of its own, below that of a string of any request.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultLimits } from '../../src/server/limits.js';
import { mutationCases, mutationsWith, prepared, run, type Step } from '../domains/mutation-cases.js';
import { type Api, startApi } from '../support/api.js';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const LONG = 'x'.repeat(defaultLimits.string + 1);

/** The arguments with a text that is too long in the place of each string, one at a time, and which place that is. */
function variants(value: unknown, place: string): [place: string, value: unknown][] {
  if (typeof value === 'string') return [[place, LONG]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) =>
    variants(each, `${place}.${name}`).map(([at, other]): [string, unknown] => [
      at,
      Array.isArray(value) ? value.with(Number(name), other) : { ...value, [name]: other },
    ]),
  );
}

it.each(mutationsWith(true))('%s', async (name) => {
  const one = mutationCases(`m-${randomUUID()}`)[name];
  if (!one) throw new Error(`${name} has no case in mutation-cases.ts.`);
  const [, args] = await prepared(api, name, one);
  const taken: string[] = [];
  for (const [place, long] of variants(args, name)) {
    const step: Step = [name, long as Record<string, unknown>];
    const result = await run(api, step, { dryRun: true }).catch((error: Error) => error.message);
    if (typeof result !== 'string' && result.__typename.endsWith('Payload')) taken.push(place);
  }
  expect(taken).toEqual([]);
});
