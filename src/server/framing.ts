// Where a request goes and where it ends, as far as Node leaves it open: what we read one way, a proxy in front may have read
// another way, and whoever sent it may live on the difference.

import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.js';

/**
 * @throws {Refusal} when `request` names several hosts, one that is none, or none in HTTP/1.1 (RFC 9112, §3.2); or when its
 * body is coded for the way in any form but chunks (§6.1), which would be read as if it were not.
 */
export function checkFraming({ headers, rawHeaders, httpVersion }: IncomingMessage): void {
  const hosts = timesSent(rawHeaders, 'host');
  const { host = '', 'transfer-encoding': coding } = headers;
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1') || !named.test(host)) {
    throw broken('Send one Host header, such as "host: api.example.com".');
  }
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    throw broken('Send the body with its content-length, or with "transfer-encoding: chunked" alone.');
  }
}

/** What a host may be written with (RFC 3986, §3.2.2), and its port. */
const named = /^(?:\[[\da-f:.]{2,45}\]|[\w.~!$&'()*+,;=%-]{0,255})(?::\d{0,5})?$/i;

/** How many headers go by this name, which is in small letters. */
export function timesSent(rawHeaders: readonly string[], wanted: string): number {
  let times = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === wanted.length && name.toLowerCase() === wanted) times += 1;
  }
  return times;
}

const broken = (sentence: string) => new Refusal('BAD_REQUEST', sentence, { headers: { connection: 'close' } });
