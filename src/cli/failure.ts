// How a command fails: with one sentence that says what to do, and an exit code. Never with a stack trace unless asked
// for, and never with a secret, a URL or the parameters of a statement.

import { ConfigError } from '../config.js';
import { DatabaseError, DatabaseUnavailable, withoutParameters } from '../db/index.js';
import type { Terminal } from './terminal.js';

/** The command was called wrongly. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'WRONG_CALL';
}

/** Ctrl-C, or a request to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly code = 'INTERRUPTED';
}

/** Tells the terminal what failed; gives the exit code: 2 for a wrong call, 130 for an interruption, else 1. */
export function tellFailure(thrown: unknown, terminal: Terminal): number {
  const error = withoutParameters(thrown);
  terminal.err.write(`${sentenceOf(error)}\n`);
  if (/^(debug|trace)$/.test(terminal.env.LOG_LEVEL ?? '') && error instanceof Error) {
    terminal.err.write(`${error.stack}\n`);
  }
  if (error instanceof UsageError) return 2;
  return error instanceof Interrupted ? 130 : 1;
}

function sentenceOf(error: unknown): string {
  if (error instanceof DatabaseUnavailable) {
    return 'Postgres is out of reach; check that it runs and that DATABASE_URL leads to it, then try again.';
  }
  if (error instanceof DatabaseError && /^(28|3D)/.test(error.state)) {
    return `Postgres refused the login (SQLSTATE ${error.state}); check user, password and database in DATABASE_URL.`;
  }
  const certificate = certificateFault(error);
  if (certificate !== undefined) {
    return `The certificate of Postgres is not trusted (${certificate}): set NODE_EXTRA_CA_CERTS to the file of the authority that signed it, and name the host in DATABASE_URL as the certificate does.`;
  }
  if (error instanceof ConfigError || isOurs(error)) return error.message;
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return `Something failed that should not (${name}); run it again with LOG_LEVEL=debug to see where.`;
}

/** Node's word for a certificate that does not fit. */
function certificateFault(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_|ERR_TLS_CERT_|HOSTNAME_MISMATCH)/.test(code) ? code : undefined;
}

/** Our own failures carry a word as code and a sentence as message; so do the plain errors of checks at the start. */
function isOurs(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (error.constructor === Error && !('code' in error)) return true;
  return Object.hasOwn(error, 'name') && 'code' in error && /^[A-Z]+(_[A-Z]+)*$/.test(String(error.code));
}
