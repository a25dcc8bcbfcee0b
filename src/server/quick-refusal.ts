// Turns requests away at the least cost: an answer that is ready but for its id, in one piece, in the words of what was
// asked; and one line in the log for each path and second.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { originHeaders } from './cross-origin.js';
import { commonHeaders, endWith, knownPath } from './exchange.js';
import { temporarilyUnavailable } from './introspect.js';
import type { Logger } from './log.js';
import { generalFailure, isOfrep } from './ofrep.js';
import { overloaded } from './overload.js';
import type { Tally } from './tally.js';

export interface QuickRefusals {
  /** Answers with OVERLOADED whatever callers have asked. */
  readonly send: (request: IncomingMessage, response: ServerResponse) => void;
  /** Writes what was not yet told. */
  readonly close: () => void;
}

const periodMs = 1_000;

/** A page of one of `origins` may read its answer. */
export function quickRefusals(logger: Logger, tally: Tally, origins: ReadonlySet<string>): QuickRefusals {
  const untold = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  const tell = () => {
    clearTimeout(timer);
    timer = undefined;
    for (const [path, refused] of untold) logger.info({ path, status, code, refused }, 'refused');
    untold.clear();
  };
  return {
    send: (request, response) => {
      const [asked = ''] = request.url?.split('?', 1) ?? [];
      const path = knownPath(asked);
      const { head, body } = asked === '/introspect' ? toIntrospection : isOfrep(asked) ? toOfrep : toGraphQL;
      const origin = originHeaders(request.headers.origin, origins);
      response.writeHead(status, ['x-request-id', randomUUID(), ...origin, ...head]);
      endWith(response, body);
      tally.count(path, 'query', status, code);
      untold.set(path, (untold.get(path) ?? 0) + 1);
      timer ??= setTimeout(tell, periodMs).unref();
    },
    close: tell,
  };
}

const { status, code, message } = overloaded;

function ready(words: object) {
  const body = JSON.stringify(words);
  const head: readonly string[] = [
    ...commonHeaders,
    ...Object.entries(overloaded.headers).flat(),
    ...['content-type', 'application/json; charset=utf-8', 'content-length', String(Buffer.byteLength(body))],
  ];
  return { head, body };
}

const toGraphQL = ready({ errors: [{ message, extensions: { code } }] });
const toIntrospection = ready(temporarilyUnavailable(message));
const toOfrep = ready(generalFailure(message));
