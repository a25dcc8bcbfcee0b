// Who may ask for what, declared on every field: a root field without `access` does not compile, and if it is smuggled
// in, the schema does not build. Fields of other types are reached only through a guarded root field, and their type
// says so.
import SchemaBuilder, {
  BasePlugin,
  type PothosOutputFieldConfig,
  type PothosTypeConfig,
  type SchemaTypes,
} from '@pothos/core';
import type { GraphQLFieldResolver } from 'graphql';
import { type Context, Forbidden, type Scope, Unauthenticated } from '../resolvers/index.js';
import { userErrorOf } from './user-error.js';

/** `public`, or any one of these scopes. */
export type Access = 'public' | Scope | readonly Scope[];

/** `inherited`: whoever holds the object was allowed to. */
export type TypeAccess = 'inherited';

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      access: AccessPlugin<Types>;
    }
    export interface RootFieldAccess {
      access: Access;
    }
    export interface ObjectTypeOptions<Types extends SchemaTypes = SchemaTypes, Shape = unknown> {
      access: TypeAccess;
    }
    /** Of a field whose type is reached by callers who may not read all of it. */
    export interface ObjectFieldOptions<Types, ParentShape, Type, Nullable, Args, ResolveReturnShape> {
      access?: Access;
    }
    export interface QueryFieldOptions<Types, Type, Nullable, Args, ResolveReturnShape> extends RootFieldAccess {}
    export interface MutationFieldOptions<Types, Type, Nullable, Args, ResolveReturnShape> extends RootFieldAccess {}
    export interface SubscriptionFieldOptions<Types, Type, Nullable, Args, ResolveShape, ResolveReturnShape>
      extends RootFieldAccess {}
  }
}

/** @throws Unauthenticated or Forbidden unless the caller may. */
export function requireAccess(access: Access, { viewer }: Context): void {
  if (access === 'public') return;
  const scopes = typeof access === 'string' ? [access] : access;
  if (scopes.some((scope) => viewer.scopes.has(scope))) return;
  const wanted = scopes.join(' or ');
  if (viewer.subject === null) {
    throw new Unauthenticated(
      `This needs a token with the scope ${wanted}: send it as "Authorization: Bearer <token>".`,
    );
  }
  throw new Forbidden(`Your token lacks the scope ${wanted}.`, scopes[0]);
}

type Subscriber<Types extends SchemaTypes> = GraphQLFieldResolver<unknown, Types['Context'], object>;

class AccessPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onTypeConfig(config: PothosTypeConfig): PothosTypeConfig {
    if (config.kind !== 'Object') return config;
    const access = optionOf(config.pothosOptions);
    if (access === undefined) throw new Error(`Type ${config.name} declares no access.`);
    return { ...config, extensions: { ...config.extensions, access } };
  }

  override onOutputFieldConfig(config: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const access = optionOf(config.pothosOptions);
    if (isRoot(config) && access === undefined)
      throw new Error(`Field ${config.parentType}.${config.name} declares no access.`);
    return access === undefined ? config : { ...config, extensions: { ...config.extensions, access } };
  }

  /** Denies before the stream opens, and again at each event. */
  override wrapSubscribe(
    subscribe: Subscriber<Types> | undefined,
    config: PothosOutputFieldConfig<Types>,
  ): Subscriber<Types> | undefined {
    const access = optionOf(config.pothosOptions) as Access | undefined;
    if (!subscribe || access === undefined || access === 'public') return subscribe;
    return async (parent, args, context, info) => {
      const caller = context as unknown as Context;
      requireAccess(access, caller);
      const renew = async () => {
        const now = await caller.renew();
        requireAccess(access, now);
        return now;
      };
      return subscribe(parent, args, { ...context, renew }, info);
    };
  }

  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    config: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    const access = optionOf(config.pothosOptions) as Access | undefined;
    if (access === undefined || access === 'public') return resolver;
    const refuses = config.kind === 'Mutation' ? asResult : asError;
    return (parent, args, context, info) => {
      try {
        requireAccess(access, context as unknown as Context);
      } catch (error) {
        return refuses(error);
      }
      return resolver(parent, args, context, info);
    };
  }
}

/** A missing scope is something that the caller can mend: a member of the mutation's result. */
function asResult(error: unknown): unknown {
  const member = userErrorOf(error);
  if (member) return member;
  throw error;
}

function asError(error: unknown): never {
  throw error;
}

const isRoot = ({ kind }: { kind: string }) => kind === 'Query' || kind === 'Mutation' || kind === 'Subscription';

const optionOf = (options: object): unknown => ('access' in options ? options.access : undefined);

SchemaBuilder.registerPlugin('access', AccessPlugin);
