// Every mutation, with text that no client in good faith sends, wherever it takes text: a clear refusal or a write, and
// never an error that nobody can mend.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../support/api.js';
import { mutationCases, mutationsWith, type Payload, prepared, run, type Step } from './mutation-cases.js';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const HOSTILE = [
  '',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udfff end',
  '\u202e\u200b\ufeff',
  `'; DROP TABLE changes; --`,
  '{"$ne":null}',
  '../../etc/passwd',
  '*/?[^a]',
  'a:b/c:d',
  '__proto__',
  '\ud83d\ude00'.repeat(70),
  'x'.repeat(3_000),
];

/** Types of arguments whose text is not free: GraphQL itself refuses it. */
const PARSED = /^(date|minor|opening|closing|expiresAt|position|version|ttlSeconds|overlapSeconds|public|enabled)$/;

/** The arguments with `text` in the place of each string, one at a time. */
function variants(value: unknown, text: string): unknown[] {
  if (typeof value === 'string') return [text];
  if (Array.isArray(value)) {
    return value.flatMap((each, at) => variants(each, text).map((other) => value.with(at, other)));
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) =>
    PARSED.test(name) ? [] : variants(each, text).map((other) => ({ ...value, [name]: other })),
  );
}

/** A payload, an error with a sentence, or a coded refusal: JSON that the scalar does not take, a busy machine. */
const isClear = (result: Payload | string): boolean =>
  typeof result === 'string'
    ? /got invalid value .*; This JSON has |; try again\.$/.test(result)
    : result.__typename.endsWith('Payload') || result.message.endsWith('.');

describe('hostile text is refused with a sentence, or stored as it is', () => {
  it.each(mutationsWith(true))('%s', async (name) => {
    const one = mutationCases(`h-${randomUUID()}`)[name];
    if (!one) throw new Error(`${name} has no case in mutation-cases.ts.`);
    const [, args] = await prepared(api, name, one);
    const failures: string[] = [];
    for (const text of HOSTILE) {
      for (const hostile of variants(args, text)) {
        const step: Step = [name, hostile as Record<string, unknown>];
        const result = await run(api, step, { dryRun: true }).catch((error: Error) => error.message);
        if (isClear(result)) continue;
        failures.push(`${JSON.stringify(hostile).slice(0, 200)}: ${JSON.stringify(result).slice(0, 200)}`);
      }
    }
    expect(failures).toEqual([]);
  });
});

it.each(['reason', 'idempotencyKey'])('hostile text as %s too', async (option) => {
  for (const text of HOSTILE) {
    const result = await run(api, ['putParameter', { name: `h-${randomUUID()}`, parameter: 1 }], { [option]: text });
    expect(result.__typename).toMatch(/^(PutParameterPayload|ValidationError)$/);
  }
});
