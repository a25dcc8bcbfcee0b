// Arrays come out of Postgres as they went in, whatever signs their members have: entries of lists, hashes and sets are
// read so.
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseArray } from '../../src/db/array-types.js';
import { type Connection, connect, txQuery } from '../../src/db/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let connection: Connection;
beforeAll(async () => {
  database = await createDatabase();
  connection = connect({ url: database.url });
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

/** What Postgres gives back for the members, alone and in a transaction. */
async function echoed(members: readonly (string | null)[]): Promise<unknown[]> {
  const statement = sql`SELECT ${sql.param([...members])}::text[] AS members`;
  const [alone] = await connection.query<{ members: unknown }>(statement);
  const [within] = await connection.db.transaction((tx) => txQuery(tx)<{ members: unknown }>(statement));
  return [alone?.members, within?.members];
}

it.each([
  [[]],
  [['']],
  [['', '']],
  [['a', 'b']],
  [['"', '\\', '\\"', '\\\\', '""']],
  [['{', '}', ',', '{a,b}', '{"a":"{\\"b\\":1}"}']],
  [['NULL', 'null', null, 'Null']],
  [[' a ', '\n', '\t', '\r\n', '\u2028', 'é', '\u{1f600}']],
  [[JSON.stringify({ description: 'say "no"\\', minor: '1' })]],
])('%j', async (members) => {
  expect(await echoed(members)).toEqual([members, members]);
});

it('any text that Postgres takes', async () => {
  const member = fc.string({
    unit: fc.oneof(
      fc.constantFrom('"', '\\', '{', '}', ',', ' ', 'N'),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    ),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        member.filter((text) => !text.includes('\0')),
        { maxLength: 6 },
      ),
      async (members) => {
        expect((await echoed(members))[0]).toEqual(members);
      },
    ),
    { numRuns: 150 },
  );
});

it('numbers as strings', () => {
  expect(parseArray('{1,-2,NULL,30}')).toEqual(['1', '-2', null, '30']);
});
