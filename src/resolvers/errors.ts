// What a caller can mend: each becomes a member of a mutation's result union, or a coded error of a query.

interface Where {
  /** The way to the argument at fault, such as `input`, `items`, `3`, `url`. */
  readonly path?: readonly string[];
}

/** The input cannot be accepted; the sentence says why and what would be. */
export class Invalid extends Error {
  override readonly name = 'Invalid';
  readonly code = 'VALIDATION';
  /** Not `path`: GraphQL would take the error for one that it has located already. */
  readonly argument: readonly string[] | undefined;
  constructor(message: string, { path }: Where = {}) {
    super(message);
    this.argument = path;
  }
}

/** What the mutation names does not exist. */
export class NotFound extends Error {
  override readonly name = 'NotFound';
  readonly code = 'NOT_FOUND';
  /** Not `path`: GraphQL would take the error for one that it has located already. */
  readonly argument: readonly string[] | undefined;
  constructor(message: string, { path }: Where = {}) {
    super(message);
    this.argument = path;
  }
}

/** The caller is known, but lacks a scope. */
export class Forbidden extends Error {
  override readonly name = 'Forbidden';
  readonly code = 'FORBIDDEN';
  readonly requiredScope: string | undefined;
  constructor(message: string, requiredScope?: string) {
    super(message);
    this.requiredScope = requiredScope;
  }
}

/** The caller is unknown. */
export class Unauthenticated extends Error {
  override readonly name = 'Unauthenticated';
  readonly code = 'UNAUTHENTICATED';
}

/** Somebody else wrote in between. */
export class Conflict extends Error {
  override readonly name = 'Conflict';
  readonly code = 'CONFLICT';
  readonly argument: readonly string[] = ['options', 'expectedVersion'];
  readonly currentVersion: bigint;
  constructor(message: string, currentVersion: bigint) {
    super(message);
    this.currentVersion = currentVersion;
  }
}

/** The idempotency key stands for another mutation. */
export class KeyReused extends Error {
  override readonly name = 'KeyReused';
  readonly code = 'IDEMPOTENCY';
  /** Not `path`: GraphQL would take the error for one that it has located already. */
  readonly argument: readonly string[] = ['options', 'idempotencyKey'];
}

/** The request as such is wrong: a forged cursor, a method that a field does not allow. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
  readonly code = 'BAD_REQUEST';
}

/** The caller has had all that a while allows; the same request succeeds later. */
export class RateLimited extends Error {
  override readonly name = 'RateLimited';
  readonly code = 'RATE_LIMITED';
}
