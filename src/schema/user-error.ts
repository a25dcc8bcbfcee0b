// Errors that a caller can mend, as plain values: GraphQL would take an Error that a resolver returns for a failure.
import { Conflict, Forbidden, Invalid, KeyReused, NotFound } from '../resolvers/index.js';

interface Facts {
  readonly code: string;
  readonly message: string;
  readonly path?: readonly string[] | undefined;
}

export type InputMember = Facts & { readonly kind: 'ValidationError' | 'NotFoundError' | 'IdempotencyError' };
export type ForbiddenMember = Facts & { readonly kind: 'ForbiddenError'; readonly requiredScope: string | undefined };
export type ConflictMember = Facts & { readonly kind: 'ConflictError'; readonly currentVersion: bigint };

/** A member of a mutation's result union. */
export type UserError = InputMember | ForbiddenMember | ConflictMember;

/** `error` as a member of a result, or undefined when the caller cannot mend it. */
export function userErrorOf(error: unknown): UserError | undefined {
  if (error instanceof Invalid) return { kind: 'ValidationError', ...facts(error), path: error.argument };
  if (error instanceof NotFound) return { kind: 'NotFoundError', ...facts(error), path: error.argument };
  if (error instanceof KeyReused) return { kind: 'IdempotencyError', ...facts(error), path: error.argument };
  if (error instanceof Forbidden)
    return { kind: 'ForbiddenError', ...facts(error), requiredScope: error.requiredScope };
  if (error instanceof Conflict)
    return { kind: 'ConflictError', ...facts(error), path: error.argument, currentVersion: error.currentVersion };
  return undefined;
}

/** Whether a result is such a member rather than a payload. */
export const isUserError = (value: object): value is UserError => 'kind' in value && KINDS.has(value.kind);

const KINDS: ReadonlySet<unknown> = new Set<UserError['kind']>([
  'ValidationError',
  'NotFoundError',
  'ForbiddenError',
  'ConflictError',
  'IdempotencyError',
]);

const facts = ({ code, message }: Facts): Facts => ({ code, message });
