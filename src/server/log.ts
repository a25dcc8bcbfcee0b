// What the gateway writes about itself: one line per request and one per failure, of listed fields only. No header,
// variable, document or address is among them.

import { destination, pino, stdTimeFunctions } from 'pino';

/** What the edge needs of a logger; pino's has it. */
export interface Logger {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly error: LogLine;
}

type LogLine = (fields: object, message: string) => void;

export interface LoggerOptions {
  readonly level: string;
  /** Which of several processes writes; it stands in every line. */
  readonly worker?: number | 'primary' | undefined;
  /** Where lines go; the standard error stream unless given, as standard output belongs to answers. */
  readonly write?: (line: string) => void;
}

/** A logger of JSON lines at `level` and above. */
export function makeLogger({ level, worker, write }: LoggerOptions): Logger {
  const options = {
    level,
    base: worker === undefined ? null : { worker },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, write ? { write } : destination(2));
}

export interface RequestFacts {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly ms: number;
  readonly operation: string | undefined;
  readonly code: string | undefined;
}

/** One answered request; what probes, pages and the command line ask is told at debug level. */
export function logRequest(logger: Logger, facts: RequestFacts): void {
  const { requestId, method, path, status, ms, operation, code } = facts;
  const tell = path === '/graphql' || status >= 400 || callersAsk.test(path) ? logger.info : logger.debug;
  tell.call(logger, { requestId, method, path, status, ms, operation, code }, 'answered');
}

const callersAsk = /^\/(introspect|ofrep\/.*)$/;

/** A failure that its client sees only as INTERNAL. */
export function logFailure(logger: Logger, requestId: string, failure: unknown): void {
  logger.error({ requestId, failure: printed(failure) }, 'failed');
}

interface PrintedFailure {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: PrintedFailure | undefined;
}

function printed(failure: unknown, depth = 0): PrintedFailure {
  if (!(failure instanceof Error)) {
    return { name: typeof failure, message: 'not an Error', stack: undefined, cause: undefined };
  }
  const { name, message, stack, cause } = failure;
  return { name, message, stack, cause: cause === undefined || depth === 3 ? undefined : printed(cause, depth + 1) };
}
