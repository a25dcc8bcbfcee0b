// `revealSecret` is counted at the edge and in Postgres.

import { expect, it } from 'vitest';
import { REVEAL_ALLOWANCE } from '../../src/resolvers/secret-reveal.js';
import { defaultRates, ratesOf } from '../../src/server/rates.js';

it('the edge lets through what Postgres does, so that the number in its setting is the one that holds', () => {
  expect(ratesOf(defaultRates).reveal).toEqual({ name: 'reveal', ...REVEAL_ALLOWANCE });
});
