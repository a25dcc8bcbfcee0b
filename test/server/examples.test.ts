import { parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import { schema } from '../../src/schema/index.js';
import { exampleOperations } from '../../src/server/index.js';

const examples = exampleOperations(new Date('2026-03-01T02:30:00Z'));

it.each(examples)('fits the schema: $title', ({ document }) => {
  expect(validate(schema, parse(document))).toEqual([]);
});

it('posts to today as the bank counts it, and looks 30 days back', () => {
  const variables = examples.map(({ variables }) => variables).join();
  expect(variables).toContain('"today": "2026-02-28"');
  expect(variables).toContain('"from": "2026-01-30"');
});
