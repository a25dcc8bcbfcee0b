// What is found in the log is what was put last under its very name; what is written over, or lost, is not found.

import { hash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteLog } from '../../src/server/byte-log.js';

const nameOf = (name: number) => hash('sha256', String(name), 'binary');
const bytesOf = (text: string) => Buffer.from(text);
const found = (log: ByteLog, name: number) => log.get(nameOf(name))?.toString();

it('gives what was put last, or nothing', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('put' as const), name: fc.nat(40), length: fc.nat(400) }),
      fc.record({ kind: fc.constant('delete' as const), name: fc.nat(40) }),
    ),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000 }), steps, (capacity, all) => {
      const log = new ByteLog(capacity);
      const model = new Map<number, string>();
      for (const [at, step] of all.entries()) {
        if (step.kind === 'delete') {
          log.delete(nameOf(step.name));
          model.delete(step.name);
        } else {
          const text = `${at} `.padEnd(step.length, 'x');
          log.put(nameOf(step.name), bytesOf(text));
          model.set(step.name, text);
          const isTooLong = text.length + 36 > capacity;
          expect(found(log, step.name)).toBe(isTooLong ? undefined : text);
        }
        for (let name = 0; name <= 40; name++) {
          const text = found(log, name);
          if (text !== undefined) expect(text).toBe(model.get(name));
          expect(log.has(nameOf(name))).toBe(text !== undefined);
        }
        expect(log.byteLength).toBeLessThanOrEqual(capacity);
      }
    }),
  );
});

it('keeps nearly everything that fits, and then the latest', () => {
  const log = new ByteLog(1_000_000);
  const count = (from: number, to: number) => {
    let found = 0;
    for (let name = from; name < to; name++) if (log.has(nameOf(name))) found += 1;
    return found;
  };
  for (let name = 0; name < 2_000; name++) log.put(nameOf(name), Buffer.alloc(400));
  expect(log.isFull).toBe(false);
  expect(count(0, 2_000)).toBeGreaterThan(1_900);
  for (let name = 2_000; name < 10_000; name++) log.put(nameOf(name), Buffer.alloc(400));
  expect(log.isFull).toBe(true);
  expect(count(8_000, 10_000)).toBeGreaterThan(1_900);
  expect(count(0, 7_000)).toBe(0);
});
