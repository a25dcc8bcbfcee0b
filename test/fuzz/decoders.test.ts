// Whatever the parsers of foreign text are given, they refuse it in their own way, and never otherwise. Long runs:
// FUZZ_RUNS=1000000.
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  decoded,
  fencesOf,
  guardedReplies,
  hitOf,
  metaOf,
  readReplyOf,
  token,
  word,
} from '../../src/cache/redis-replies.js';
import { makeCursor, openCursor } from '../../src/resolvers/cursor.js';
import { BadRequest } from '../../src/resolvers/errors.js';
import { flagRecords } from '../../src/resolvers/import/flag-file.js';
import { menuFromJson } from '../../src/resolvers/import/menu-json.js';
import { taxonomyItems } from '../../src/resolvers/import/taxonomy.js';
import { isSecret, makeSecret } from '../../src/resolvers/token-secret.js';

const runs = Number(process.env.FUZZ_RUNS ?? 1_000);
vi.setConfig({ testTimeout: 60_000 + runs * 5 });
const parameters = { numRuns: runs };

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('__proto__', 'constructor', '\0', '\ud800', ''),
);

describe('cursors', () => {
  const KEY = 'a key of cursors, for tests';
  const key = fc.array(fc.oneof(text, fc.integer()), { maxLength: 3 });
  const question = fc.array(fc.oneof(text, fc.integer(), fc.constant(null)), { maxLength: 3 });
  const opened = (asked: readonly unknown[], cursor: string) => {
    try {
      return openCursor(KEY, asked, cursor);
    } catch (error) {
      expect(error).toBeInstanceOf(BadRequest);
      return 'refused';
    }
  };

  it('open for the question that they were made for', () => {
    fc.assert(
      fc.property(question, key, (asked, last) => {
        expect(opened(asked, makeCursor(KEY, asked, last))).toEqual(JSON.parse(JSON.stringify(last)));
      }),
      parameters,
    );
  });

  it('that nobody made, or that were changed, are refused', () => {
    const bytes = fc.uint8Array({ maxLength: 80 }).map((made) => Buffer.from(made).toString('base64url'));
    fc.assert(
      fc.property(
        question,
        key,
        fc.oneof(text, bytes),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (asked, last, other, at, flip) => {
          expect(opened(asked, other)).toBe('refused');
          const cursor = Buffer.from(makeCursor(KEY, asked, last), 'base64url');
          const place = at % cursor.length;
          cursor[place] = (cursor[place] ?? 0) ^ flip;
          expect(opened(asked, cursor.toString('base64url'))).toBe('refused');
          expect(opened([...asked, 'more'], makeCursor(KEY, asked, last))).toBe('refused');
        },
      ),
      parameters,
    );
  });
});

describe('tokens', () => {
  const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(makeSecret);

  it('have their form, and lose it by one mistyped or missing sign', () => {
    fc.assert(
      fc.property(secret, fc.nat(), fc.constantFrom(...'0Zz_-é \0'), (made, at, sign) => {
        expect(isSecret(made)).toBe(true);
        const place = at % made.length;
        const mistyped = made.slice(0, place) + sign + made.slice(place + 1);
        expect(isSecret(mistyped)).toBe(mistyped === made);
        expect(isSecret(made.slice(0, place) + made.slice(place + 1))).toBe(false);
      }),
      parameters,
    );
  });

  it('are no other texts', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          text.map((rest) => `esp_${rest}`),
        ),
        (other) => {
          expect(isSecret(other)).toBe(false);
        },
      ),
      parameters,
    );
  });
});

describe('replies of the store', () => {
  const reply = fc.letrec<{ reply: unknown }>((tie) => ({
    reply: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      text,
      fc.integer(),
      fc.constantFrom(null, undefined, 'done', 'mismatch', 'hit', 'lease', 'busy', 'fenced', '12:5,13:'),
      fc.array(tie('reply'), { maxLength: 9 }),
      fc.array(tie('reply'), { maxLength: 9 }).map((rest) => ['done', ...rest]),
      fc.array(tie('reply'), { maxLength: 9 }).map((rest) => ['hit', ...rest]),
    ),
  })).reply;
  const decoders: Readonly<Record<string, (reply: unknown) => unknown>> = {
    reads: (given) => guardedReplies(given, readReplyOf),
    hits: hitOf,
    metas: metaOf,
    tokens: token,
    words: word('filled', 'fenced'),
    fences: (given) => guardedReplies(given, (each) => fencesOf(each, (name) => ({ view: name, key: name }))),
  };

  it.each(Object.entries(decoders))('%s are decoded, or count as none', (_, decode) => {
    fc.assert(
      fc.property(reply, (given) => {
        const answer = decoded({ kind: 'answered', reply: given }, decode);
        expect(['decoded', 'unavailable']).toContain(answer.kind);
      }),
      parameters,
    );
  });
});

describe('imports', () => {
  const isSentence = (reason: string) => expect(reason).toMatch(/\S/);
  const json = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(
      fc.constantFrom(
        'flags',
        'features',
        'items',
        'label',
        'url',
        'key',
        'children',
        'state',
        'variants',
        'targeting',
        '$evaluators',
        'metadata',
        'version',
      ),
      fc.jsonValue(),
    ),
  );

  it('of flags refuse in sentences', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          json.map((value) => JSON.stringify(value)),
        ),
        (given) => {
          for (const record of flagRecords(given)) if ('reason' in record) isSentence(record.reason);
        },
      ),
      parameters,
    );
  });

  it('of menus refuse in sentences', () => {
    fc.assert(
      fc.property(json, fc.option(text, { nil: undefined }), (given, part) => {
        for (const { reason } of menuFromJson(given, { part }).refused) isSentence(reason);
      }),
      parameters,
    );
  });

  it('of taxonomies refuse in sentences', async () => {
    const line = fc.oneof(
      text,
      fc.tuple(fc.nat(), text, text).map(([id, parent, name]) => `${id} - ${parent} > ${name}`),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 8 }), async (given) => {
        const lines = given.map((each, at) => ({ kind: 'line' as const, line: at + 1, text: each }));
        for await (const record of taxonomyItems(lines)) if (record.kind === 'refused') isSentence(record.reason);
      }),
      parameters,
    );
  });
});
