// The envelope that a secret is kept in: a data key of its own encrypts it, the master key encrypts the data key, both
// with AES-256-GCM (NIST SP 800-38D), and both are bound to the secret's name and version. Nothing here tells why an
// envelope does not open.
import { createCipheriv, createDecipheriv, createHash, createSecretKey, type KeyObject } from 'node:crypto';

/** The key of all data keys. Printed, logged or turned into JSON it shows none of its bytes. */
export interface MasterKey {
  /** Says which key an envelope needs, and nothing about the key: 8 bytes. */
  readonly id: Uint8Array;
  readonly key: KeyObject;
  /** Another one, which opens envelopes and seals none: the one before, until everything is wrapped anew. */
  readonly old?: MasterKey;
}

/** What is stored of a value. */
export interface Envelope {
  /** Format byte, nonce, encrypted value, tag. */
  readonly ciphertext: Uint8Array;
  /** Format byte, id of the master key, nonce, encrypted data key, tag. */
  readonly wrappedKey: Uint8Array;
}

/** The one place that an envelope opens in. */
export interface Place {
  readonly name: string;
  readonly number: number;
}

/** The envelope was altered, or belongs to another place. It says no more than that. */
export class EnvelopeDamaged extends Error {
  override readonly name = 'EnvelopeDamaged';
  readonly code = 'ENVELOPE_DAMAGED';
  constructor() {
    super('A secret could not be opened: what is stored of it is not what was stored. Restore it from a backup.');
  }
}

/** The envelope was made under a master key that this gateway does not have. */
export class ForeignMasterKey extends Error {
  override readonly name = 'ForeignMasterKey';
  readonly code = 'FOREIGN_MASTER_KEY';
  constructor() {
    super(
      'A secret was stored under another master key: give all gateways the same ESPELHO_MASTER_KEY, and the one before it as ESPELHO_MASTER_KEY_OLD until "espelho rekey" is done.',
    );
  }
}

const FORMAT = 1;
const KEY_BYTES = 32;
const KEY_ID_BYTES = 8;
/** Random nonces of 96 bits are safe for 2^32 messages under one key: one per data key, one per version for the master key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const WRAPPED_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES + KEY_BYTES + TAG_BYTES;
const ALGORITHM = 'aes-256-gcm';

/** The master key of 64 hex digits, and the one before it if that still opens envelopes. */
export function masterKeyOf(hex: string, oldHex?: string): MasterKey {
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length !== KEY_BYTES) throw new Error('A master key is 32 bytes, as 64 hex digits.');
  const id = createHash('sha256').update('espelho master key').update(bytes).digest().subarray(0, KEY_ID_BYTES);
  return { id, key: createSecretKey(bytes), ...(oldHex !== undefined && { old: masterKeyOf(oldHex) }) };
}

/** Seals `value` for `place`, under a data key drawn from `randomBytes`; no two envelopes are alike. */
export function seal(
  masterKey: MasterKey,
  place: Place,
  value: string,
  randomBytes: (size: number) => Uint8Array,
): Envelope {
  const dataKey = Buffer.from(randomBytes(KEY_BYTES));
  const plain = Buffer.from(value, 'utf8');
  try {
    return {
      ciphertext: encrypt(dataKey, Buffer.of(FORMAT), boundTo('value', place), randomBytes(NONCE_BYTES), plain),
      wrappedKey: wrapped(masterKey, place, dataKey, randomBytes),
    };
  } finally {
    dataKey.fill(0);
    plain.fill(0);
  }
}

/**
 * The value that was sealed for `place`.
 * @throws {ForeignMasterKey} when it was sealed under a master key that is not at hand; {@link EnvelopeDamaged} when
 * anything about it or its place is not as it was.
 */
export function unseal(masterKey: MasterKey, place: Place, { ciphertext, wrappedKey }: Envelope): string {
  if (ciphertext[0] !== FORMAT) throw new EnvelopeDamaged();
  const dataKey = unwrapped(masterKey, place, wrappedKey);
  try {
    const plain = decrypt(dataKey, 1, boundTo('value', place), ciphertext);
    const value = plain.toString('utf8');
    plain.fill(0);
    return value;
  } finally {
    dataKey.fill(0);
  }
}

/**
 * The data key of `place` wrapped anew, under the master key itself; the value that it encrypts stays as it is.
 * @throws as {@link unseal} does.
 */
export function rewrap(
  masterKey: MasterKey,
  place: Place,
  wrappedKey: Uint8Array,
  randomBytes: (size: number) => Uint8Array,
): Uint8Array {
  const dataKey = unwrapped(masterKey, place, wrappedKey);
  try {
    return wrapped(masterKey, place, dataKey, randomBytes);
  } finally {
    dataKey.fill(0);
  }
}

function wrapped(
  { id, key }: MasterKey,
  place: Place,
  dataKey: Uint8Array,
  randomBytes: (size: number) => Uint8Array,
): Uint8Array {
  const header = Buffer.concat([Buffer.of(FORMAT), id]);
  return encrypt(key, header, boundTo('data key', place), randomBytes(NONCE_BYTES), dataKey);
}

function unwrapped({ id, key, old }: MasterKey, place: Place, wrappedKey: Uint8Array): Buffer {
  if (wrappedKey.length !== WRAPPED_BYTES || wrappedKey[0] !== FORMAT) throw new EnvelopeDamaged();
  if (Buffer.from(id).equals(wrappedKey.subarray(1, 1 + KEY_ID_BYTES))) {
    return decrypt(key, 1 + KEY_ID_BYTES, boundTo('data key', place), wrappedKey);
  }
  if (!old) throw new ForeignMasterKey();
  return unwrapped(old, place, wrappedKey);
}

/** `header`, nonce, ciphertext and tag in a row; the header is authenticated with the rest. */
function encrypt(
  key: KeyObject | Uint8Array,
  header: Uint8Array,
  bound: Uint8Array,
  nonce: Uint8Array,
  plain: Uint8Array,
): Buffer {
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.concat([header, bound]));
  return Buffer.concat([header, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: KeyObject | Uint8Array, headerBytes: number, bound: Uint8Array, sealed: Uint8Array): Buffer {
  const bodyStart = headerBytes + NONCE_BYTES;
  const bodyEnd = sealed.length - TAG_BYTES;
  if (bodyEnd < bodyStart) throw new EnvelopeDamaged();
  const nonce = sealed.subarray(headerBytes, bodyStart);
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat([sealed.subarray(0, headerBytes), bound]));
  decipher.setAuthTag(sealed.subarray(bodyEnd));
  const plain = decipher.update(sealed.subarray(bodyStart, bodyEnd));
  try {
    decipher.final();
    return plain;
  } catch {
    plain.fill(0); // without its tag it is nobody's value; the cause says nothing worth keeping
    throw new EnvelopeDamaged();
  }
}

/** What both layers are bound to. Each part carries its length, so that no two places run together into the same bytes. */
function boundTo(purpose: 'value' | 'data key', { name, number }: Place): Buffer {
  return Buffer.concat(
    [purpose, name, String(number)].flatMap((part) => {
      const bytes = Buffer.from(part, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}
