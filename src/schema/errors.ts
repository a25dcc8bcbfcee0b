// The only place where the classes that rooms throw become GraphQL: members of result unions, or coded top-level
// errors. What is not known here stays unknown to the caller.
import { GraphQLError } from 'graphql';
import { CacheUnavailable, FeedInterrupted, Overloaded } from '../cache/index.js';
import { DatabaseUnavailable } from '../db/index.js';
import { BadRequest, Forbidden, RateLimited, Unauthenticated } from '../resolvers/index.js';
import { builder } from './builder.js';
import { type ConflictMember, type ForbiddenMember, isUserError, type UserError, userErrorOf } from './user-error.js';

/** The error as the caller may see it, or undefined for one that must stay masked. */
export function codedError(error: unknown): GraphQLError | undefined {
  if (error instanceof GraphQLError)
    return error.originalError ? codedError(error.originalError) && relocated(error) : error;
  const code = topLevelCodeOf(error);
  return code && error instanceof Error ? new GraphQLError(error.message, { extensions: { code } }) : undefined;
}

/** `outcome`, or the error as a member of the result if the caller can mend it. */
export async function settled<Payload>(outcome: Promise<Payload>): Promise<Payload | UserError> {
  try {
    return await outcome;
  } catch (error) {
    const member = userErrorOf(error);
    if (member) return member;
    throw error;
  }
}

/** The result union of the mutation whose payload this is. */
export function resultOf<Payload extends object>(payload: PayloadRef<Payload>) {
  return builder.unionType(payload.name.replace(/Payload$/, 'Result'), {
    description: 'The payload, or what the caller can mend.',
    types: [payload, ...errorTypes],
    resolveType: (value) => (isUserError(value) ? value.kind : payload.name),
  });
}

type PayloadRef<Payload extends object> = ReturnType<ReturnType<typeof builder.objectRef<Payload>>['implement']>;

const UserErrorInterface = builder.interfaceRef<UserError>('UserError').implement({
  description: 'Something that the caller can mend.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'Of the kind of error, such as VALIDATION; it never changes.' }),
    message: t.exposeString('message', { description: 'A sentence that says what to do.' }),
    path: t.stringList({
      nullable: true,
      description: 'The way to the argument at fault.',
      resolve: (error) => (error.path ? [...error.path] : null),
    }),
  }),
});

const ValidationError = builder.objectRef<UserError>('ValidationError').implement({
  access: 'inherited',
  interfaces: [UserErrorInterface],
  description: 'The input cannot be accepted.',
});
const NotFoundError = builder.objectRef<UserError>('NotFoundError').implement({
  access: 'inherited',
  interfaces: [UserErrorInterface],
  description: 'What the mutation names does not exist.',
});
const ForbiddenError = builder.objectRef<ForbiddenMember>('ForbiddenError').implement({
  access: 'inherited',
  interfaces: [UserErrorInterface],
  description: 'The caller lacks a scope.',
  fields: (t) => ({
    requiredScope: t.exposeString('requiredScope', { nullable: true, description: 'The scope that would do.' }),
  }),
});
const ConflictError = builder.objectRef<ConflictMember>('ConflictError').implement({
  access: 'inherited',
  interfaces: [UserErrorInterface],
  description: 'Somebody else wrote in between.',
  fields: (t) => ({
    currentVersion: t.expose('currentVersion', { type: 'BigInt', description: 'The version that stands.' }),
  }),
});
const IdempotencyError = builder.objectRef<UserError>('IdempotencyError').implement({
  access: 'inherited',
  interfaces: [UserErrorInterface],
  description: 'The idempotency key was used with other input.',
});

const errorTypes = [ValidationError, NotFoundError, ForbiddenError, ConflictError, IdempotencyError] as const;

function topLevelCodeOf(error: unknown): string | undefined {
  if (error instanceof CacheUnavailable) return 'CACHE_UNREACHABLE';
  if (error instanceof Overloaded) return 'OVERLOADED';
  if (error instanceof DatabaseUnavailable || error instanceof FeedInterrupted) return 'UNAVAILABLE';
  if (error instanceof Unauthenticated) return 'UNAUTHENTICATED';
  if (error instanceof Forbidden) return 'FORBIDDEN';
  if (error instanceof RateLimited) return 'RATE_LIMITED';
  if (error instanceof BadRequest || userErrorOf(error)) return 'BAD_REQUEST';
  return undefined;
}

/** The coded form of a field's error, where it happened. */
function relocated({ message, nodes, path, originalError }: GraphQLError): GraphQLError {
  const code = topLevelCodeOf(originalError);
  return new GraphQLError(message, { nodes: nodes ?? null, path: path ?? null, extensions: code ? { code } : {} });
}
