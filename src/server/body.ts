// Reads a request's body whole, and never more of it than allowed: the bytes are counted as they come, whatever length
// was announced.

import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.js';

/** A JSON value, and the text that it was read from. */
export interface JsonBody {
  readonly value: unknown;
  readonly text: string;
}

/**
 * The JSON in the body of `request`.
 * @throws {Refusal} when it is longer than `maxBytes`, cut off, not UTF-8, not JSON, or not sent as plain JSON.
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<JsonBody> {
  requireJson(request, maxBytes);
  return jsonIn(await readBytes(request, maxBytes));
}

/** The JSON in the `bytes` of a body. @throws {Refusal} when they are not UTF-8 or not JSON. */
export function jsonIn(bytes: Uint8Array): JsonBody {
  try {
    const text = utf8.decode(bytes);
    return { value: JSON.parse(text), text };
  } catch (cause) {
    throw new Refusal('BAD_REQUEST', 'The body is not JSON in UTF-8; send {"query": "…", "variables": {…}}.', {
      cause,
    });
  }
}

/**
 * The form in the body of `request`.
 * @throws {Refusal} when it is longer than `maxBytes`, cut off, or not sent as a plain form.
 */
export async function readForm(request: IncomingMessage, maxBytes: number): Promise<URLSearchParams> {
  if (!plainForm.test(request.headers['content-type'] ?? '')) {
    const sentence = `Send the body as a form, with the header "content-type: ${form}".`;
    throw new Refusal('BAD_REQUEST', sentence, { status: 415, headers: { accept: form } });
  }
  requirePlain(request);
  return new URLSearchParams((await readBytes(request, maxBytes)).toString('utf8'));
}

const form = 'application/x-www-form-urlencoded';
const plainForm = /^application\/x-www-form-urlencoded\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;
const utf8 = new TextDecoder('utf-8', { fatal: true });
const plainJson = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/** @throws {Refusal} when the headers of `request` announce anything but a plain JSON body within `maxBytes`. */
export function requireJson(request: IncomingMessage, maxBytes: number): void {
  const { headers } = request;
  const type = headers['content-type'] ?? '';
  if (type !== 'application/json' && !plainJson.test(type)) {
    const sentence = 'Send the body as JSON, with the header "content-type: application/json".';
    throw new Refusal('BAD_REQUEST', sentence, { status: 415, headers: { accept: 'application/json' } });
  }
  requirePlain(request);
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLong(request, maxBytes);
}

function requirePlain({ headers }: IncomingMessage): void {
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new Refusal('BAD_REQUEST', 'Send the body without compression.', { status: 415 });
  }
}

function tooLong(request: IncomingMessage, maxBytes: number): Refusal {
  request.removeAllListeners('data');
  request.resume(); // what still comes is let go by, so that the client gets to read the answer
  const sentence =
    `The body is longer than ${maxBytes} bytes; send less at a time. ` +
    'What cannot be divided comes in from a file, by the command espelho import.';
  return new Refusal('LIMIT_EXCEEDED', sentence, { headers: { connection: 'close' } });
}

/**
 * The body of `request` as it came.
 * @throws {Refusal} when it is longer than `maxBytes`, or cut off.
 */
export function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
      reject(tooLong(request, maxBytes));
      return;
    }
    let first: Buffer | undefined; // most bodies come in one piece
    const others: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) reject(tooLong(request, maxBytes));
      else if (first) others.push(chunk);
      else first = chunk;
    });
    let whole = false;
    request.on('end', () => {
      whole = true;
      resolve(first && others.length === 0 ? first : Buffer.concat(first ? [first, ...others] : []));
    });
    // Of what goes wrong a request tells nobody who does not ask, but for that it closes.
    request.on('close', () => {
      // Every request closes: an error that nobody hears of would cost each of them a stack trace.
      if (!whole) reject(new Refusal('BAD_REQUEST', 'The body was cut off; send the request again.'));
    });
  });
}
