// The envelope of a secret: what opens it, and that nothing else does.
import { createDecipheriv, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Envelope,
  EnvelopeDamaged,
  ForeignMasterKey,
  type MasterKey,
  masterKeyOf,
  type Place,
  seal,
  unseal,
} from '../../src/resolvers/envelope.js';

const HEX = `${'c0ffee'.repeat(10)}0000`;
const masterKey = masterKeyOf(HEX);
const place: Place = { name: 'partner-api-key', number: 3 };
const sealed = (value = 'open sesame', where = place, key: MasterKey = masterKey) =>
  seal(key, where, value, randomBytes);

/** `bytes` with one bit turned at `at`, which may count from the end. */
function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

describe('an envelope', () => {
  it('gives back any value, in its own place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.string(), fc.nat(), (value, name, number) => {
        expect(unseal(masterKey, { name, number }, sealed(value, { name, number }))).toBe(value);
      }),
    );
  });

  it('is never the same twice, and holds the value in no form that can be searched for', () => {
    const value = 'a value that would be found';
    const [one, other] = [sealed(value), sealed(value)];
    expect(Buffer.from(one.ciphertext).equals(other.ciphertext)).toBe(false);
    expect(Buffer.from(one.wrappedKey).equals(other.wrappedKey)).toBe(false);
    const all = Buffer.concat([one.ciphertext, one.wrappedKey]).toString('latin1');
    for (const part of [value, value.slice(4, 12)]) expect(all).not.toContain(part);
  });

  it('has the form that is documented: a reader with the key needs nothing of ours', () => {
    const { ciphertext, wrappedKey } = sealed('documented');
    expect([ciphertext[0], wrappedKey[0], wrappedKey.length]).toEqual([1, 1, 69]);
    const lengthened = (text: string) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(text));
      return Buffer.concat([length, Buffer.from(text)]);
    };
    const bound = (purpose: string) => Buffer.concat([purpose, 'partner-api-key', '3'].map(lengthened));
    const opened = (key: Uint8Array, bytes: Uint8Array, header: number, aad: Uint8Array) => {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(header, header + 12));
      decipher.setAAD(Buffer.concat([bytes.subarray(0, header), aad]));
      decipher.setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(header + 12, -16)), decipher.final()]);
    };
    const dataKey = opened(Buffer.from(HEX, 'hex'), wrappedKey, 9, bound('data key'));
    expect(opened(dataKey, ciphertext, 1, bound('value')).toString()).toBe('documented');
  });

  it('draws a data key of 256 bits and two nonces of 96 for each value', () => {
    const drawn: number[] = [];
    seal(masterKey, place, 'x', (size) => {
      drawn.push(size);
      return randomBytes(size);
    });
    expect(drawn).toEqual([32, 12, 12]);
  });

  const altered: [string, (envelope: Envelope) => Envelope][] = [
    ['the format of the value', (e) => ({ ...e, ciphertext: flipped(e.ciphertext, 0) })],
    ['the nonce of the value', (e) => ({ ...e, ciphertext: flipped(e.ciphertext, 1) })],
    ['the ciphertext', (e) => ({ ...e, ciphertext: flipped(e.ciphertext, 13) })],
    ['the tag', (e) => ({ ...e, ciphertext: flipped(e.ciphertext, -1) })],
    ['the length of the ciphertext', (e) => ({ ...e, ciphertext: e.ciphertext.subarray(0, -1) })],
    ['all of the ciphertext', (e) => ({ ...e, ciphertext: new Uint8Array() })],
    ['the format of the key', (e) => ({ ...e, wrappedKey: flipped(e.wrappedKey, 0) })],
    ['the nonce of the key', (e) => ({ ...e, wrappedKey: flipped(e.wrappedKey, 9) })],
    ['the wrapped key', (e) => ({ ...e, wrappedKey: flipped(e.wrappedKey, 30) })],
    ['the tag of the key', (e) => ({ ...e, wrappedKey: flipped(e.wrappedKey, -1) })],
    ['the length of the key', (e) => ({ ...e, wrappedKey: e.wrappedKey.subarray(0, -1) })],
    ['whose key it is', (e) => ({ ...e, wrappedKey: sealed('another').wrappedKey })],
    ['whose value it is', (e) => ({ ...e, ciphertext: sealed('another').ciphertext })],
  ];
  it.each(altered)('stays shut when %s is altered, and does not say why', (_, alter) => {
    const error = thrown(() => unseal(masterKey, place, alter(sealed())));
    expect(error).toBeInstanceOf(EnvelopeDamaged);
    expect(error).toHaveProperty('message', new EnvelopeDamaged().message);
    expect(error).not.toHaveProperty('cause');
  });

  it('stays shut when any single bit is turned', () => {
    const envelope = sealed('short');
    for (const part of ['ciphertext', 'wrappedKey'] as const) {
      for (let at = 0; at < envelope[part].length; at++) {
        const error = thrown(() => unseal(masterKey, place, { ...envelope, [part]: flipped(envelope[part], at) }));
        expect(error instanceof EnvelopeDamaged || error instanceof ForeignMasterKey).toBe(true);
      }
    }
  });

  it.each([
    ['another name', { name: 'partner-api-kez', number: 3 }],
    ['another version', { name: 'partner-api-key', number: 4 }],
    ['a name and version that only run together into the same', { name: 'partner-api-key3', number: 3 }],
  ])('stays shut in the place of %s', (_, elsewhere) => {
    expect(() => unseal(masterKey, elsewhere, sealed())).toThrow(EnvelopeDamaged);
  });

  it.each([
    [
      { name: 'a', number: 11 },
      { name: 'a1', number: 1 },
    ],
    [
      { name: 'a\0\0\0\u00011', number: 1 },
      { name: 'a', number: 1 },
    ],
  ])('of %j stays shut in %j', (mine, other) => {
    expect(() => unseal(masterKey, other, sealed('x', mine))).toThrow(EnvelopeDamaged);
  });

  it('says so when another master key sealed it, and opens for no forged id of that key', () => {
    const other = masterKeyOf('ab'.repeat(32));
    const envelope = sealed();
    expect(() => unseal(other, place, envelope)).toThrow(ForeignMasterKey);
    const forged = Buffer.from(envelope.wrappedKey);
    forged.set(other.id, 1);
    expect(() => unseal(other, place, { ...envelope, wrappedKey: forged })).toThrow(EnvelopeDamaged);
  });
});

describe('a master key', () => {
  it('shows none of its bytes when it is printed, and has an id that does not either', () => {
    for (const shown of [
      JSON.stringify(masterKey),
      inspect(masterKey, { depth: 9, showHidden: true }),
      `${masterKey.key}`,
    ]) {
      expect(shown).not.toContain('c0ffee');
      expect(shown).not.toContain('192, 255, 238');
      expect(shown).not.toContain('<Buffer c0');
    }
    expect(masterKeyOf(HEX).id).toEqual(masterKey.id);
    expect(masterKeyOf('ab'.repeat(32)).id).not.toEqual(masterKey.id);
  });

  it('has 256 bits', () => {
    expect(() => masterKeyOf('ab'.repeat(16))).toThrow(/32 bytes/);
    expect(() => masterKeyOf('')).toThrow(/32 bytes/);
  });
});

function thrown(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}
