// Whether everybody gives the same answers; what does not is not compared.
import { isDeepStrictEqual } from 'node:util';
import type { Running } from './contestants.js';
import type { Pool, Request } from './requests.js';

/** A contestant answers otherwise than another one, or not at all. */
export class UnequalAnswers extends Error {
  override readonly name = 'UnequalAnswers';
  readonly code = 'UNEQUAL_ANSWERS';
}

const SAMPLES = 5;

/** Asks each of them for the same of every pool, twice, so that what was cached is looked at as well. @throws {UnequalAnswers} */
export async function checkAnswers(running: readonly Running[], pools: readonly Pool[]): Promise<number> {
  const samples = pools.flatMap((pool) =>
    Array.from({ length: Math.min(SAMPLES, pool.size) }, (_, at) => pool.at(Math.floor((at * pool.size) / SAMPLES))),
  );
  const [first, ...others] = running.filter(({ entrant }) => entrant.answers);
  if (!first) return 0;
  for (const request of samples) {
    const wanted = await dataOf(first, request);
    for (const other of [first, ...others, ...others]) {
      const given = await dataOf(other, request);
      if (!isDeepStrictEqual(given, wanted)) {
        throw new UnequalAnswers(
          `${other.entrant.name} answers ${shown(given)}\nwhere ${first.entrant.name} answers ${shown(wanted)}\nto ${request.body.slice(0, 300)}`,
        );
      }
    }
  }
  return samples.length;
}

/** A refusal of one contestant must not count as data that others lack: an answer without data is never equal. */
async function dataOf({ port, entrant }: Running, { body, authorization }: Request): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    body,
  });
  const text = await response.text();
  const answer = JSON.parse(text) as { data?: Record<string, unknown> | null; errors?: unknown };
  const isWhole =
    response.status === 200 && !answer.errors && Object.values(answer.data ?? {}).some((value) => value !== null);
  if (!isWhole) {
    throw new UnequalAnswers(
      `${entrant.name} answers ${response.status} ${text.slice(0, 500)}\nto ${body.slice(0, 300)}`,
    );
  }
  return answer.data;
}

const shown = (value: unknown) => JSON.stringify(value).slice(0, 600);
