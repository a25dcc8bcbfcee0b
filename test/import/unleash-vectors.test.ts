// The specification that Unleash publishes for its clients, against flags that were imported from its own files and
// evaluated through GraphQL. What flagd cannot say is refused by name, and the share of what it can say is counted.
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { importFlags } from '../../src/resolvers/import/flag-import.js';
import type { ImportOutcome } from '../../src/resolvers/import/import-report.js';
import { type Api, startApi } from '../support/api.js';
import { describeReal, realFile } from './real-data.js';

const folder = 'flags/unleash-client-spec';

interface Vector {
  readonly file: string;
  readonly description: string;
  readonly context: object;
  readonly toggleName: string;
  readonly expectedResult: unknown;
}

const files = () =>
  readdirSync(realFile(folder))
    .filter((name) => /^\d.*\.json$/.test(name))
    .sort();

function vectorsOf(file: string): Vector[] {
  const { tests = [], variantTests = [] } = JSON.parse(readFileSync(realFile(`${folder}/${file}`), 'utf8'));
  return [...tests, ...variantTests].map((vector: Omit<Vector, 'file'>) => ({ file, ...vector }));
}

/** Where Unleash and flagd hash each in its own way, or flagd lacks the operator; by file, how many vectors. */
const NOT_GIVEN: Readonly<Record<string, number>> = {
  '04-gradual-rollout-session-id-strategy.json': 2,
  '08-variants.json': 11,
  '10-flexible-rollout-strategy.json': 8,
  '15-global-constraints.json': 1,
  '16-strategy-variants.json': 5,
  '21-regex-constraint-operators.json': 15,
};

describeReal("Unleash's specification of clients", [folder], () => {
  let api: Api;
  let connection: Connection;
  const reports = new Map<string, ImportOutcome>();
  beforeAll(async () => {
    api = await startApi();
    connection = connect({ url: api.database.url });
    for (const file of files()) {
      reports.set(file, await importFlags(connection.db, [realFile(`${folder}/${file}`)], environmentOf(file)));
    }
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
  });
  afterAll(async () => {
    await connection.close();
    await api.close();
  });

  const given: Record<string, number> = {};
  const notGiven: Record<string, number> = {};

  it.each(files().flatMap(vectorsOf))('$file: $description', async (vector) => {
    const { file, toggleName } = vector;
    const flag = typeof vector.expectedResult === 'boolean' ? toggleName : `${toggleName}:variant`;
    if (isReported(reports.get(file), toggleName, flag)) notGiven[file] = (notGiven[file] ?? 0) + 1;
    else {
      expect(await ask(api, vector)).toEqual(vector.expectedResult);
      given[file] = (given[file] ?? 0) + 1;
    }
  });

  it('is given in 208 of 250 vectors, and of the others each flag is named by the import', () => {
    const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, count) => total + count, 0);
    const share = `${sum(given)} of ${sum(given) + sum(notGiven)}`;
    console.log(
      `Unleash's specification: ${share} vectors are given exactly; not given are ${JSON.stringify(notGiven)}`,
    );
    expect(notGiven).toEqual(NOT_GIVEN);
    expect(share).toBe('208 of 250');
  });
});

const environmentOf = (file: string): string => file.replace(/\.json$/, '');

/** Whether the import refused the feature, or said of its flag that other users are in the fractions. */
const isReported = (report: ImportOutcome | undefined, feature: string, flag: string): boolean =>
  (report?.errors ?? []).some(
    ({ reason }) =>
      reason.includes(`${JSON.stringify(feature)}: flagd cannot say`) ||
      (reason.includes(` as ${flag}: `) && reason.includes("flagd's fractions are not Unleash's")),
  );

const EVALUATE = `query ($environment: String!, $key: String!, $variant: String!, $context: JSON) {
  enabled: evaluateFlag(environment: $environment, key: $key, context: $context, default: false) { value errorCode errorMessage }
  variant: evaluateFlag(environment: $environment, key: $variant, context: $context) { value errorCode errorMessage } }`;

/** What an application that had Unleash's client sees: a feature without variants has a flag of its own name only. */
async function ask(api: Api, { file, context, toggleName, expectedResult }: Vector): Promise<unknown> {
  const names = { environment: environmentOf(file), key: toggleName, variant: `${toggleName}:variant` };
  const { data } = await api.ask(EVALUATE, { scopes: ['flags:evaluate'] }, { ...names, context });
  const { enabled, variant } = data;
  const faults = [enabled, variant].filter(({ errorCode }) => errorCode !== null && errorCode !== 'FLAG_NOT_FOUND');
  expect(faults).toEqual([]);
  if (typeof expectedResult === 'boolean') return enabled.value;
  return variant.value ?? { name: 'disabled', enabled: false, feature_enabled: enabled.value };
}
