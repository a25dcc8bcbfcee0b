// The evaluator suite that the flagd project publishes, against flags that were imported from its own file and evaluated
// through GraphQL, and through OpenFeature's SDK and its OFREP provider. Of the two rules of fractional bucketing, ours is
// the second; cases of the first are left out.
import { readdirSync, readFileSync } from 'node:fs';
import type { Client, EvaluationDetails, JsonValue } from '@openfeature/server-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/db/index.js';
import { importFlags } from '../../src/resolvers/import/flag-import.js';
import type { ImportOutcome } from '../../src/resolvers/import/import-report.js';
import type { RunningServer } from '../../src/server/index.js';
import { openFeatureClient, post, serveFlags, tokenOf } from '../server/ofrep-gateway.js';
import { type Api, startApi } from '../support/api.js';
import { type Case, casesOf, type Row } from './flag-gherkin.js';
import { describeReal, realFile } from './real-data.js';

const folder = 'flags/flagd-evaluator';
const file = realFile(`${folder}/flags/testkit-flags.json`);

describeReal("flagd's evaluator suite", [folder], () => {
  let api: Api;
  let server: RunningServer;
  let client: Client;
  let headers: Record<string, string>;
  let report: ImportOutcome;
  beforeAll(async () => {
    api = await startApi();
    const connection = connect({ url: api.database.url });
    report = await importFlags(connection.db, [file], 'testkit');
    await connection.close();
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
    server = await serveFlags(api);
    headers = { authorization: `Bearer ${await tokenOf(api, ['flags:evaluate'])}`, 'x-environment': 'testkit' };
    client = await openFeatureClient(server.url, Object.entries(headers));
  });
  afterAll(async () => {
    await server.close();
    await api.close();
  });

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

  const played = [...untagged, ...(second ?? [])];
  const passed = { graphql: 0, ofrep: 0 };

  describe('through GraphQL', () => {
    it.each(played)('$title', async ({ steps }) => {
      await play(steps, throughGraphQL(api));
      passed.graphql += 1;
    });
  });

  describe("through OpenFeature's SDK and its OFREP provider", () => {
    it.each(played)('$title', async ({ steps }) => {
      await play(steps, throughOfrep(client, server.url, headers));
      passed.ofrep += 1;
    });
  });

  it('passes with 125 cases of 125 through either', () => {
    console.log(`flagd's evaluator suite: ${passed.graphql} cases through GraphQL, ${passed.ofrep} through OFREP`);
    expect([played.length, passed]).toEqual([125, { graphql: 125, ofrep: 125 }]);
  });
});

interface Question {
  readonly key: string;
  readonly type: string;
  readonly fallback: JsonValue;
  readonly context: Record<string, JsonValue>;
}

interface Answered {
  readonly value: unknown;
  readonly reason: unknown;
  readonly errorCode: unknown;
  readonly metadata: unknown;
}

type Ask = (question: Question) => Promise<Answered>;

const EVALUATE = `query ($key: String!, $context: JSON, $fallback: JSON) {
  evaluateFlag(environment: "testkit", key: $key, context: $context, default: $fallback) {
    value variant reason errorCode metadata } }`;

const throughGraphQL =
  (api: Api): Ask =>
  async ({ key, fallback, context }) =>
    (await api.ask(EVALUATE, { scopes: ['flags:evaluate'] }, { key, fallback, context })).data.evaluateFlag;

/**
 * What the SDK tells the application. Where the gateway leaves the value to the application's default, this release of
 * the provider gives the default too, but calls it an error; the reason is then read from the gateway's own answer.
 */
const throughOfrep =
  (client: Client, url: string, headers: Record<string, string>): Ask =>
  async (question) => {
    const { key, context } = question;
    const details = await detailsOf(client, question);
    const { json } = await post(`${url}/ofrep/v1/evaluate/flags/${key}`, { context }, headers);
    const { value, flagMetadata: metadata } = details;
    if (json.errorCode === undefined && !('value' in json)) {
      return { value, reason: json.reason, errorCode: json.errorCode, metadata: json.metadata };
    }
    return { value, reason: details.reason, errorCode: details.errorCode, metadata };
  };

function detailsOf(client: Client, { key, type, fallback, context }: Question): Promise<EvaluationDetails<JsonValue>> {
  if (typeof fallback === 'boolean') return client.getBooleanDetails(key, fallback, context);
  if (typeof fallback === 'string') return client.getStringDetails(key, fallback, context);
  if (typeof fallback === 'number') return client.getNumberDetails(key, fallback, context);
  if (type === 'Object') return client.getObjectDetails(key, fallback, context);
  throw new Error(`Nobody knows flags of the type ${type}.`);
}

/** Plays one case; a step that is not known fails it. */
async function play(steps: Case['steps'], ask: Ask): Promise<void> {
  let question: Question = { key: '', type: '', fallback: null, context: {} };
  let answer: Answered | undefined;
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
      question = { ...question, key, type: flagType, fallback: typed(flagType, fallback ?? '') };
    } else if (name !== undefined) question.context[name] = typed(typeOfValue, value);
    else if (targetingKey !== undefined) question.context.targetingKey = targetingKey;
    else if (outer !== undefined) question.context[outer] = { [inner]: nested ?? '' };
    else if (text === 'the flag was evaluated with details') answer = await ask(question);
    else if (what === 'resolved details value') expect(answer?.value).toEqual(typed(question.type, expected));
    else if (what === 'reason') expect(answer?.reason).toBe(expected);
    else if (what === 'error-code') expect(answer?.errorCode).toBe(expected);
    else if (text === 'the resolved metadata should contain') expect(answer?.metadata).toMatchObject(metadataOf(table));
    else if (text === 'the resolved metadata is empty') expect(answer?.metadata).toEqual({});
    else if (text !== 'an evaluator') throw new Error(`Nobody knows the step: ${text}`);
  }
}

function typed(type: string, text: string): JsonValue {
  if (type === 'Boolean') return text === 'true';
  if (type === 'Integer' || type === 'Float') return Number(text);
  return type === 'Object' ? JSON.parse(text.replaceAll('\\"', '"')) : text;
}

const metadataOf = (table: readonly Row[]) =>
  Object.fromEntries(table.map((row) => [row.key, typed(row.metadata_type ?? '', row.value ?? '')]));
