// Turns requests away at the least cost: one answer that is ready but for its id, in one piece, and one line in the log for
// all of a second.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { exposedHeaders } from './cross-origin.js';
import { commonHeaders } from './exchange.js';
import type { Logger } from './log.js';
import { overloaded } from './overload.js';
import type { Tally } from './tally.js';

export interface QuickRefusals {
  /** Answers with OVERLOADED whatever has come to /graphql. */
  readonly send: (request: IncomingMessage, response: ServerResponse) => void;
  /** Writes what was not yet told. */
  readonly close: () => void;
}

const periodMs = 1_000;

/** A page of one of `origins` may read its answer. */
export function quickRefusals(logger: Logger, tally: Tally, origins: ReadonlySet<string>): QuickRefusals {
  let untold = 0;
  let timer: NodeJS.Timeout | undefined;
  const tell = () => {
    clearTimeout(timer);
    timer = undefined;
    if (untold > 0) logger.info({ path, status, code, refused: untold }, 'refused');
    untold = 0;
  };
  return {
    send: (request, response) => {
      const headers = ['x-request-id', randomUUID(), ...always];
      if (origins.size > 0) headers.push('vary', 'origin');
      const { origin } = request.headers;
      if (origin !== undefined && origins.has(origin)) {
        headers.push('access-control-allow-origin', origin, 'access-control-expose-headers', exposedHeaders);
      }
      response.writeHead(status, headers).write(body);
      response.uncork(); // now, head and body go out by one write; at the end, by a gathered one, which costs more
      response.end();
      tally.count(path, 'query', status, code);
      untold += 1;
      timer ??= setTimeout(tell, periodMs).unref();
    },
    close: tell,
  };
}

const path = '/graphql';
const { status, code, message } = overloaded;
const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
const always: readonly string[] = [
  ...commonHeaders,
  ...Object.entries(overloaded.headers).flat(),
  ...['content-type', 'application/json; charset=utf-8', 'content-length', String(Buffer.byteLength(body))],
];
