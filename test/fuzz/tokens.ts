// A secret of a token has its form, and nothing else has.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isSecret, makeSecret } from '../../src/resolvers/token-secret.js';
import { claim } from './claim.js';
import { hostileText } from './texts.js';

const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(makeSecret);

export const tokenClaims = [
  claim(
    'have their form, and lose it by one mistyped or missing sign',
    fc.property(secret, fc.nat(), fc.constantFrom(...'0Zz_-é \0'), (made, at, sign) => {
      assert(isSecret(made));
      const place = at % made.length;
      const mistyped = made.slice(0, place) + sign + made.slice(place + 1);
      assert.equal(isSecret(mistyped), mistyped === made);
      assert(!isSecret(made.slice(0, place) + made.slice(place + 1)));
    }),
  ),
  claim(
    'are no other texts',
    fc.property(
      fc.oneof(
        hostileText,
        hostileText.map((rest) => `esp_${rest}`),
      ),
      (other) => {
        assert(!isSecret(other));
      },
    ),
    6,
  ),
];
