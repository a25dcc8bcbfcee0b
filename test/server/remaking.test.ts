// An answer that many find outdated at once is made by one of them; nobody takes over what another was answered.

import { expect, it } from 'vitest';
import { Answers, type Place } from '../../src/server/answers.js';
import type { Basis, KeptAnswer } from '../../src/server/kept-answer.js';

let version = 0;

const basisMadeAt = (made: number): Basis => ({
  holds: () => true,
  stands: (tell) => tell(made === version),
  again: () => {},
  bytes: 100,
  packed: () => made,
});

/** Answers that stand while `version` is what it was. */
function startAnswers() {
  version = 0;
  const answers = new Answers<object>({
    maxBytes: 1_000_000,
    basisOf: () => basisMadeAt(version),
    basisFrom: (made) => basisMadeAt(made as number),
  });
  return { answers, place: placeIn(answers, 'query') };
}

const placeIn = (answers: Answers<object>, query: string): Place =>
  answers.placeOf({
    method: 'POST',
    accepted: ['application/json'],
    authorization: undefined,
    bytes: Buffer.from(query),
  });

function keep(answers: Answers<object>, place: Place, body = `made at ${version}`) {
  const standing = { id: undefined, writes: false, free: false };
  const weight = { cost: 1, rootFields: new Map<string, number>() };
  answers.keep(place, {}, { body, headers: [], outside: undefined, standing, weight, operation: undefined });
}

async function stands(answers: Answers<object>, place: Place): Promise<boolean> {
  const kept = answers.at(place);
  return kept !== undefined && new Promise((tell) => answers.ask(kept, tell));
}

/** For whoever has found the answer that is kept outdated. */
function anew(answers: Answers<object>, place: Place): Promise<KeptAnswer | (() => void)> {
  const outdated = answers.at(place);
  if (!outdated) throw new Error('There should be an answer.');
  return answers.anew(place, outdated);
}

async function toMake(answers: Answers<object>, place: Place): Promise<() => void> {
  expect(await stands(answers, place)).toBe(false);
  const found = await anew(answers, place);
  if (typeof found !== 'function') throw new Error('There should be nothing to give.');
  return found;
}

it('the others are given the new answer, asked about after they came', async () => {
  const { answers, place } = startAnswers();
  keep(answers, place);
  version = 1;
  const done = await toMake(answers, place);
  const waiting = anew(answers, place);
  keep(answers, place);
  done();
  expect(await waiting).toMatchObject({ body: 'made at 1' });
});

it('the others make their own where the new answer is outdated by then', async () => {
  const { answers, place } = startAnswers();
  keep(answers, place);
  version = 1;
  const done = await toMake(answers, place);
  const waiting = anew(answers, place);
  keep(answers, place);
  version = 2;
  done();
  expect(await waiting).toBeTypeOf('function');
});

it('the others make their own where no answer came of it, and nobody waits for the next', async () => {
  const { answers, place } = startAnswers();
  keep(answers, place);
  version = 1;
  const done = await toMake(answers, place);
  const waiting = anew(answers, place);
  done();
  expect(await waiting).toBeTypeOf('function');
  expect(answers.at(place)).toBeUndefined();
});

it('the others do not wait for ever', async () => {
  const { answers, place } = startAnswers();
  keep(answers, place);
  version = 1;
  await toMake(answers, place); // and never says that it is done
  await toMake(answers, place);
});

it('whoever asks for something else makes his own', async () => {
  const { answers, place } = startAnswers();
  const other = placeIn(answers, 'other');
  keep(answers, place);
  keep(answers, other);
  version = 1;
  await toMake(answers, place);
  await toMake(answers, other);
});

it('what a request asks for is told apart: by method, form, whether it names a caller, and every byte', () => {
  const { answers } = startAnswers();
  const asking = {
    method: 'POST',
    accepted: ['application/json'] as const,
    authorization: undefined,
    bytes: Buffer.from('x'),
  };
  const long = (last: string) => Buffer.from(`${'x'.repeat(20_000)}${last}`);
  const names = [
    asking,
    { ...asking, method: 'GET' },
    { ...asking, accepted: ['application/graphql-response+json'] as const },
    { ...asking, authorization: '' },
    { ...asking, authorization: 'by' },
    { ...asking, bytes: Buffer.from('y') },
    { ...asking, bytes: long('x') },
    { ...asking, bytes: long('y') },
    { ...asking, authorization: 'x'.repeat(1_000), bytes: long('y') },
  ].map((each) => answers.placeOf(each).name);
  expect(new Set(names).size).toBe(names.length);
  expect(answers.placeOf(asking).name).toBe(names[0]);
});

it('what is kept weighs what it holds, the request included', () => {
  const { answers, place } = startAnswers();
  keep(answers, place, 'x'.repeat(50_000));
  const kept = answers.bytes;
  expect(kept).toBeGreaterThan(50_000);
  keep(answers, { ...place, bytes: 20_000 }, 'x'.repeat(50_000));
  expect(answers.bytes).toBeGreaterThanOrEqual(kept + 20_000);
});

it.each([
  'short, of more than ASCII: ação €',
  `long: ${'€'.repeat(20_000)}`,
])('an answer is kept in its bytes', async (text) => {
  const { answers, place } = startAnswers();
  keep(answers, place, text);
  expect(await stands(answers, place)).toBe(true);
  const { body = '' } = answers.at(place) ?? {};
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
  expect(bytes.toString('utf8')).toBe(text);
});
