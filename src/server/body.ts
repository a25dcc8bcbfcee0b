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
  checkMediaType(request);
  const bytes = await readBytes(request, maxBytes);
  try {
    const text = utf8.decode(bytes);
    return { value: JSON.parse(text), text };
  } catch (cause) {
    throw new Refusal('BAD_REQUEST', 'The body is not JSON in UTF-8; send {"query": "…", "variables": {…}}.', {
      cause,
    });
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const plainJson = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

function checkMediaType({ headers }: IncomingMessage): void {
  const sent = headers['content-encoding'] ?? 'identity';
  if (!plainJson.test(headers['content-type'] ?? '')) {
    const sentence = 'Send the body as JSON, with the header "content-type: application/json".';
    throw new Refusal('BAD_REQUEST', sentence, { status: 415, headers: { accept: 'application/json' } });
  }
  if (sent !== 'identity') {
    throw new Refusal('BAD_REQUEST', 'Send the body without compression.', { status: 415 });
  }
}

function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLong = () => {
    request.removeAllListeners('data');
    request.resume(); // what still comes is let go by, so that the client gets to read the answer
    const sentence = `The body is longer than ${maxBytes} bytes; send less at a time.`;
    return new Refusal('LIMIT_EXCEEDED', sentence, { headers: { connection: 'close' } });
  };
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
      reject(tooLong());
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) reject(tooLong());
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.once('close', () => reject(new Refusal('BAD_REQUEST', 'The body was cut off; send the request again.')));
    request.once('error', (cause) => reject(new Refusal('BAD_REQUEST', 'The body was cut off.', { cause })));
  });
}
