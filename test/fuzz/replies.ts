// Whatever the store replies, an entry is decoded from it, or it counts as no reply.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  decoded,
  factsOf,
  fencesOf,
  given,
  guardedReplies,
  hitOf,
  metaOf,
  readReplyOf,
  stampsOf,
  token,
  word,
} from '../../src/cache/redis-replies.js';
import { claim } from './claim.js';
import { hostileText } from './texts.js';

const reply = fc.letrec<{ reply: unknown }>((tie) => ({
  reply: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    hostileText,
    fc.integer(),
    fc.constantFrom(
      null,
      undefined,
      'done',
      'mismatch',
      'hit',
      'lease',
      'busy',
      'fenced',
      '12:5,13:',
      '00017',
      '00017:5 mismatch',
      '00017:5 - -',
    ),
    fc.array(tie('reply'), { maxLength: 9 }),
    fc.array(tie('reply'), { maxLength: 9 }).map((rest) => ['done', ...rest]),
    fc.array(tie('reply'), { maxLength: 9 }).map((rest) => ['hit', ...rest]),
  ),
})).reply;

const decoders: Readonly<Record<string, (reply: unknown) => unknown>> = {
  reads: (given) => guardedReplies(given, readReplyOf),
  stamps: (given) => stampsOf(given, [1, 2]),
  hits: hitOf,
  metas: metaOf,
  facts: (given) => (Array.isArray(given) ? factsOf(given) : undefined),
  tokens: token,
  given,
  words: word('mismatch', 'fenced'),
  fences: (given) => guardedReplies(given, (each) => fencesOf(each, (name) => ({ view: name, key: name }))),
};

export const replyClaims = Object.entries(decoders).map(([name, decode]) =>
  claim(
    `${name} are decoded, or count as none`,
    fc.property(reply, (given) => {
      const { kind } = decoded({ kind: 'answered', reply: given }, decode);
      assert(kind === 'decoded' || kind === 'unavailable');
    }),
  ),
);
