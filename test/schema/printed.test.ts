// The schema as clients see it is a file under version control: a change of it is seen in review, or fails here.
import { readFile } from 'node:fs/promises';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { expect, it } from 'vitest';
import { schema } from '../../src/schema/index.js';

it('docs/schema.graphql is the schema that is served; npm run schema writes it', async () => {
  const committed = await readFile(new URL('../../docs/schema.graphql', import.meta.url), 'utf8');
  expect(`${printSchema(lexicographicSortSchema(schema))}\n`).toBe(committed);
});
