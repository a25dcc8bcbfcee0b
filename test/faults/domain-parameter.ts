// Parameters: strict, one text each.
import { type Domain, edited, mutation, numbered } from './domain.js';
import { isRecord } from './wire.js';

const PARAMETERS = numbered('p', 48);

/** Keys that nobody writes. */
const PROBES = numbered('probe', 12);

/** Reads them. */
export const parameterProbe = `{ ${PROBES.map((key) => `${key}: securityValue(name: "${key}") { version }`).join(' ')} }`;

export const parameters: Domain = {
  name: 'parameter',
  batches: [PARAMETERS],
  repeats: false,
  first: '0',
  read: (keys) => ({
    query: `{ ${keys.map((key) => `${key}: securityValue(name: "${key}") { parameter version }`).join(' ')} }`,
    variables: {},
  }),
  answers: (answer, keys) =>
    keys.map((key) => {
      if (!answer.data || answer.errors.some(({ path }) => path[0] === key)) return undefined;
      const found = answer.data[key];
      return isRecord(found) ? { value: String(found.parameter), version: Number(found.version) } : { value: null };
    }),
  write: (name, value) => ({
    query: mutation(
      '$name: String!, $value: JSON!',
      'putParameter(name: $name, parameter: $value)',
      'PutParameterPayload',
    ),
    variables: { name, value },
  }),
  spell: String,
  entry: (key) => ({ view: 'parameter', key }),
  edit: (sql, key, value) =>
    edited(sql, parameters.entry(key), async (tx) => {
      await tx`UPDATE security_values SET parameter = to_jsonb(${value}::text) WHERE name = ${key}`;
    }),
  stored: async (sql) => {
    const rows = await sql<{ name: string; value: string }[]>`
      SELECT name, parameter #>> '{}' AS value FROM security_values WHERE kind = 'PARAMETER'`;
    return new Map(rows.map(({ name, value }) => [name, value]));
  },
  seed: async (sql) => {
    await sql`INSERT INTO security_values (name, kind, parameter)
      SELECT name, 'PARAMETER', '"0"' FROM unnest(${[...PARAMETERS, ...PROBES]}::text[]) AS name`;
  },
};
