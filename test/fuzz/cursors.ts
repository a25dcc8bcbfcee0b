// Cursors open for the question that they were made for, and for nothing else.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { makeCursor, openCursor } from '../../src/resolvers/cursor.js';
import { BadRequest } from '../../src/resolvers/errors.js';
import { claim } from './claim.js';
import { hostileText } from './texts.js';

const KEY = 'a key of cursors, for tests';
const key = fc.array(fc.oneof(hostileText, fc.integer()), { maxLength: 3 });
const question = fc.array(fc.oneof(hostileText, fc.integer(), fc.constant(null)), { maxLength: 3 });

function opened(asked: readonly unknown[], cursor: string): unknown {
  try {
    return openCursor(KEY, asked, cursor);
  } catch (error) {
    assert(error instanceof BadRequest);
    return 'refused';
  }
}

export const cursorClaims = [
  claim(
    'open for the question that they were made for',
    fc.property(question, key, (asked, last) => {
      assert.deepEqual(opened(asked, makeCursor(KEY, asked, last)), JSON.parse(JSON.stringify(last)));
    }),
  ),
  claim(
    'that nobody made, or that were changed, are refused',
    fc.property(
      question,
      key,
      fc.oneof(
        hostileText,
        fc.uint8Array({ maxLength: 80 }).map((made) => Buffer.from(made).toString('base64url')),
      ),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (asked, last, other, at, flip) => {
        assert.equal(opened(asked, other), 'refused');
        const cursor = Buffer.from(makeCursor(KEY, asked, last), 'base64url');
        const place = at % cursor.length;
        cursor[place] = (cursor[place] ?? 0) ^ flip;
        assert.equal(opened(asked, cursor.toString('base64url')), 'refused');
        assert.equal(opened([...asked, 'more'], makeCursor(KEY, asked, last)), 'refused');
      },
    ),
    6,
  ),
];
