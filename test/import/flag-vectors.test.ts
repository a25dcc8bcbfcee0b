// The evaluator suite that the flagd project publishes, against flags that were imported from its own file and evaluated
// through GraphQL. Of the two rules of fractional bucketing, ours is the second; cases of the first are left out.
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../../src/db/index.js';
import { importFlags } from '../../src/resolvers/import/flag-import.js';
import type { ImportOutcome } from '../../src/resolvers/import/import-report.js';
import { type Api, startApi } from '../support/api.js';
import { type Case, casesOf, type Row } from './flag-gherkin.js';
import { describeReal, realFile } from './real-data.js';

const folder = 'flags/flagd-evaluator';
const file = realFile(`${folder}/flags/testkit-flags.json`);

describeReal("flagd's evaluator suite", [folder], () => {
  let api: Api;
  let report: ImportOutcome;
  beforeAll(async () => {
    api = await startApi();
    const connection = connect({ url: api.database.url });
    report = await importFlags(connection.db, [file], 'testkit');
    await connection.close();
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
  });
  afterAll(() => api.close());

  const cases = readdirSync(realFile(`${folder}/gherkin`)).flatMap((name) =>
    casesOf(readFileSync(realFile(`${folder}/gherkin/${name}`), 'utf8')),
  );
  const [first, second] = ['@fractional-v1', '@fractional-v2'].map((tag) =>
    cases.filter(({ tags }) => tags.includes(tag)),
  );
  const untagged = cases.filter(({ tags }) => !tags.some((tag) => /^@fractional-v\d$/.test(tag)));

  it('has 104 cases, and 21 of the second rule', () => {
    expect([cases.length, untagged.length, second?.length, first?.length]).toEqual([140, 104, 21, 15]);
  });

  it('is imported whole, with a note on each flag that the schema would not take', () => {
    expect(report).toMatchObject({ read: 60, written: 60, refused: 0 });
    const noted = report.errors.map(({ reason }) => /^\/flags\/([^/:]+)/.exec(reason)?.[1]);
    expect([...new Set(noted)].sort()).toEqual([
      'ends-with-wrong-args-flag',
      'fractional-negative-weight-flag',
      'ref-to-nonexistent-evaluator-flag',
      'semver-invalid-operator-flag',
      'semver-numeric-context-flag',
      'semver-partial-version-flag',
      'semver-v-prefix-flag',
      'semver-wrong-args-flag',
      'starts-with-wrong-args-flag',
    ]);
  });

  it.each([...untagged, ...(second ?? [])])('$title', async ({ steps }) => {
    await play(api, steps);
  });
});

const EVALUATE = `query ($key: String!, $context: JSON, $default: JSON) {
  evaluateFlag(environment: "testkit", key: $key, context: $context, default: $default) {
    value variant reason errorCode metadata } }`;

/** Plays one case; a step that is not known fails it. */
async function play(api: Api, steps: Case['steps']): Promise<void> {
  let question = { key: '', default: null as unknown, context: {} as Record<string, unknown> };
  let type = '';
  // biome-ignore lint/suspicious/noExplicitAny: what was answered.
  let answer: any;
  for (const { text, table } of steps) {
    const [, flagType, key, fallback] = /^a (\w+)-flag with key "(.*)" and a fallback value "(.*)"$/.exec(text) ?? [];
    const [, name, typeOfValue = '', value = ''] =
      /^a context containing a key "(.*)", with type "(.*)" and with value "(.*)"$/.exec(text) ?? [];
    const [, targetingKey] = /^a context containing a targeting key with value "(.*)"$/.exec(text) ?? [];
    const [, outer, inner = '', nested] =
      /^a context containing a nested property with outer key "(.*)" and inner key "(.*)", with value "(.*)"$/.exec(
        text,
      ) ?? [];
    const [, what = '', expected = ''] =
      /^the (resolved details value|reason|error-code) should be "(.*)"$/.exec(text) ?? [];
    if (flagType !== undefined && key !== undefined) {
      type = flagType;
      question = { ...question, key, default: typed(type, fallback ?? '') };
    } else if (name !== undefined) question.context[name] = typed(typeOfValue, value);
    else if (targetingKey !== undefined) question.context.targetingKey = targetingKey;
    else if (outer !== undefined) question.context[outer] = { [inner]: nested };
    else if (text === 'the flag was evaluated with details') {
      answer = (await api.ask(EVALUATE, { scopes: ['flags:evaluate'] }, question)).data.evaluateFlag;
    } else if (what === 'resolved details value') expect(answer.value).toEqual(typed(type, expected));
    else if (what === 'reason') expect(answer.reason).toBe(expected);
    else if (what === 'error-code') expect(answer.errorCode).toBe(expected);
    else if (text === 'the resolved metadata should contain') expect(answer.metadata).toMatchObject(metadataOf(table));
    else if (text === 'the resolved metadata is empty') expect(answer.metadata).toEqual({});
    else if (text !== 'an evaluator') throw new Error(`Nobody knows the step: ${text}`);
  }
}

function typed(type: string, text: string): unknown {
  if (type === 'Boolean') return text === 'true';
  if (type === 'Integer' || type === 'Float') return Number(text);
  return type === 'Object' ? JSON.parse(text.replaceAll('\\"', '"')) : text;
}

const metadataOf = (table: readonly Row[]) =>
  Object.fromEntries(table.map((row) => [row.key, typed(row.metadata_type ?? '', row.value ?? '')]));
