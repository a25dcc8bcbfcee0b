// The secret of a token: `esp_`, 256 random bits and a checksum, in base 62. Only its digest under the pepper is ever
// stored; the checksum turns typing errors and foreign strings away before anything is asked.
import { createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const MARK = 'esp_';
const BODY_DIGITS = 43;
const CHECK_DIGITS = 6;
const FORM = new RegExp(`^${MARK}[0-9A-Za-z]{${BODY_DIGITS + CHECK_DIGITS}}$`);
/** `esp_` and six digits: enough to recognise a token by, far too little to guess it. */
const PREFIX_LENGTH = MARK.length + 6;

/** A new secret from 32 random bytes. */
export function makeSecret(randomBytes: Uint8Array): string {
  const body = base62(BigInt(`0x${Buffer.from(randomBytes).toString('hex')}`), BODY_DIGITS);
  return MARK + body + checksumOf(body);
}

/** Whether `secret` has the form of one of ours, checksum included. */
export function isSecret(secret: string): boolean {
  const body = secret.slice(MARK.length, -CHECK_DIGITS);
  return FORM.test(secret) && secret.endsWith(checksumOf(body));
}

/** What is stored of a secret: HMAC-SHA-256 under the pepper, in hex. */
export function digestOf(secret: string, pepper: string): string {
  return createHmac('sha256', pepper).update(secret).digest('hex');
}

export const prefixOf = (secret: string): string => secret.slice(0, PREFIX_LENGTH);

/** By numbers: bigints would cost more than the rest of the check. */
function checksumOf(body: string): string {
  let text = '';
  for (let rest = crc32(body); text.length < CHECK_DIGITS; rest = Math.floor(rest / 62))
    text = ALPHABET[rest % 62] + text;
  return text;
}

function base62(number: bigint, digits: number): string {
  let text = '';
  for (let rest = number; text.length < digits; rest /= 62n) text = ALPHABET[Number(rest % 62n)] + text;
  return text;
}
