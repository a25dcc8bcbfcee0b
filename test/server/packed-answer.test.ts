// An answer comes out of its packing as it went in, or not at all.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Basis, KeptAnswer } from '../../src/server/kept-answer.js';
import { AnswerPacker } from '../../src/server/packed-answer.js';

const basisOf = (of: unknown): Basis => ({
  holds: () => true,
  stands: (tell) => tell(true),
  again: () => {},
  bytes: 100,
  packed: () => of,
});

const answerOf = (over: Partial<KeptAnswer> & { readonly of?: unknown } = {}): KeptAnswer => ({
  body: 'body',
  head: ['content-type', 'application/json', 'content-length', '4'],
  outside: undefined,
  basis: basisOf(over.of ?? null),
  standing: { id: undefined, writes: false, free: false },
  weight: { cost: 1, rootFields: new Map() },
  operation: undefined,
  ...over,
});

const asBytes = (bytes: Buffer) => bytes;
const inBytes = ({ body }: KeptAnswer) => (typeof body === 'string' ? Buffer.from(body, 'latin1') : body);

it('is the same again, whatever it consists of', () => {
  const packer = new AnswerPacker(basisOf);
  const texts = fc.string({ unit: 'binary' });
  const answers = fc.record({
    body: fc.uint8Array({ maxLength: 3_000 }),
    type: texts,
    id: fc.option(texts, { nil: undefined }),
    writes: fc.boolean(),
    free: fc.boolean(),
    cost: fc.nat(),
    fields: fc.array(fc.tuple(texts, fc.nat())),
    operation: fc.option(texts, { nil: undefined }),
    of: fc.jsonValue(),
  });
  fc.assert(
    fc.property(answers, fc.boolean(), ({ body, type, id, writes, free, cost, fields, operation, of }, isText) => {
      const bytes = Buffer.from(body);
      const answer = answerOf({
        body: isText ? bytes.toString('latin1') : bytes,
        head: ['content-type', type, 'content-length', String(bytes.length)],
        standing: { id, writes, free },
        weight: { cost, rootFields: new Map(fields) },
        operation,
        of: [of],
      });
      const packed = packer.pack(answer);
      const { head, standing, weight, operation: named, outside, basis, ...rest } = unpacked(packer, packed);
      expect(inBytes({ ...answer, ...rest })).toEqual(bytes);
      expect({ head, standing, weight, named, outside }).toEqual({
        head: answer.head,
        standing: answer.standing,
        weight: answer.weight,
        named: operation,
        outside: undefined,
      });
      expect(basis.packed()).toEqual(JSON.parse(JSON.stringify([of])));
    }),
  );
});

function unpacked(packer: AnswerPacker, packed: Uint8Array | undefined): KeptAnswer {
  const answer = packed && packer.unpack(Buffer.from(packed), asBytes);
  if (!answer) throw new Error('There should be an answer.');
  return answer;
}

it('is left alone where it is long, or others may keep it', () => {
  const packer = new AnswerPacker(basisOf);
  const outside = { tag: '"a"', keeping: () => ({ maxAgeSeconds: 1, shared: true }) };
  expect(packer.pack(answerOf({ body: 'x'.repeat(32_768) }))).toBeDefined();
  expect(packer.pack(answerOf({ body: 'x'.repeat(32_769) }))).toBeUndefined();
  expect(packer.pack(answerOf({ outside }))).toBeUndefined();
});

it('is not there where its basis is none any more', () => {
  const packer = new AnswerPacker(() => undefined);
  expect(packer.unpack(Buffer.from(packer.pack(answerOf()) ?? []), asBytes)).toBeUndefined();
});

it('is forgotten with its kind once there were many others, which are found', () => {
  const packer = new AnswerPacker(basisOf);
  const first = packer.pack(answerOf({ operation: 'first' }));
  for (let at = 0; at < 1_999; at++) packer.pack(answerOf({ operation: `${at}` }));
  expect(unpacked(packer, first).operation).toBe('first');
  const next = packer.pack(answerOf({ operation: 'next' }));
  expect(packer.unpack(Buffer.from(first ?? []), asBytes)).toBeUndefined();
  expect(unpacked(packer, next).operation).toBe('next');
  expect(unpacked(packer, packer.pack(answerOf({ operation: 'first' }))).operation).toBe('first');
});
