// Flags: available, many in the hash of their environment, each with a version of its own. They are archived and saved again.
import { type Domain, edited, mutation, NothingToEdit, numbered, placeOf, recordsIn } from './domain.js';

const ENVIRONMENTS = ['e0', 'e1'];
const FLAGS = ENVIRONMENTS.map((environment) => numbered(`${environment}/f`, 48));
const placeIn = (key: string) => {
  const { outer, inner } = placeOf(key);
  return { environment: outer, key: inner };
};
const definitionOf = (value: string) => ({ state: 'ENABLED', variants: { v: value }, defaultVariant: 'v' });

export const flags: Domain = {
  name: 'flag',
  batches: FLAGS,
  repeats: false,
  first: '0',
  read: (keys) => ({
    query: `query($environment: String!, $keys: [String!]) {
      evaluateFlags(environment: $environment, keys: $keys) { value version stale errorCode } }`,
    variables: { environment: placeIn(keys[0] ?? '').environment, keys: keys.map((key) => placeIn(key).key) },
  }),
  answers: ({ data }, keys) => {
    if (!data) return keys.map(() => undefined);
    const evaluations = recordsIn(data.evaluateFlags);
    return keys.map((_, at) => {
      const { value, version, stale, errorCode } = evaluations[at] ?? {};
      if (errorCode === 'FLAG_NOT_FOUND') return { value: null, stale: stale === true };
      if (errorCode !== null) return undefined;
      return { value: String(value), version: Number(version), stale: stale === true };
    });
  },
  write: (key, value) => {
    if (value === null) {
      const call = 'archiveFlag(environment: $environment, key: $key)';
      return {
        query: mutation('$environment: String!, $key: String!', call, 'ArchiveFlagPayload'),
        variables: placeIn(key),
      };
    }
    const input = { ...placeIn(key), enabled: true, definition: definitionOf(value) };
    return {
      query: mutation('$input: SaveFlagInput!', 'saveFlag(input: $input)', 'SaveFlagPayload'),
      variables: { input },
    };
  },
  spell: (serial, random) => (random() < 0.08 ? null : String(serial)),
  entry: (key) => ({ view: 'flag', key }),
  edit: (sql, key, value) =>
    edited(sql, flags.entry(key), async (tx) => {
      const { environment, key: flag } = placeIn(key);
      const changed =
        await tx`UPDATE flags SET definition = jsonb_set(definition, '{variants,v}', to_jsonb(${value}::text))
        WHERE environment = ${environment} AND key = ${flag} AND archived_at IS NULL RETURNING 1`;
      if (changed.length === 0) throw new NothingToEdit();
    }),
  stored: async (sql) => {
    const rows = await sql<{ key: string; value: string }[]>`
      SELECT environment || '/' || key AS key, definition #>> '{variants,v}' AS value FROM flags WHERE archived_at IS NULL`;
    return new Map(rows.map(({ key, value }) => [key, value]));
  },
  seed: async (sql) => {
    await sql`INSERT INTO environments SELECT key, true FROM unnest(${ENVIRONMENTS}::text[]) AS key`;
    await sql`INSERT INTO flags (environment, key, enabled, definition)
      SELECT split_part(place, '/', 1), split_part(place, '/', 2), true, ${JSON.stringify(definitionOf('0'))}::text::jsonb
      FROM unnest(${FLAGS.flat()}::text[]) AS place`;
  },
};
