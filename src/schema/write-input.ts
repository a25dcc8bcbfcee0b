// What every mutation gets before its resolver runs: its own arguments beside an idempotency key, which stands for them,
// and a request cache in which nothing is left of a dry run before it. No mutation can forget either.
import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import type { GraphQLFieldResolver } from 'graphql';
import type { Context } from '../resolvers/index.js';

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      writeInput: WriteInputPlugin<Types>;
    }
  }
}

type Resolver<Types extends SchemaTypes> = GraphQLFieldResolver<unknown, Types['Context'], object>;

class WriteInputPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(resolver: Resolver<Types>, { kind }: PothosOutputFieldConfig<Types>): Resolver<Types> {
    if (kind !== 'Mutation') return resolver;
    return (parent, args, context, info) => {
      const { cache } = context as unknown as Context;
      cache.clear();
      return resolver(parent, withInput(args), context, info);
    };
  }
}

/** The same arguments, and among the options of those that have an idempotency key the others as `input`. */
function withInput(args: object): object {
  if (!('options' in args) || typeof args.options !== 'object' || args.options === null) return args;
  const { options, ...input } = args;
  return 'idempotencyKey' in options && options.idempotencyKey !== null
    ? { ...input, options: { ...options, input } }
    : args;
}

SchemaBuilder.registerPlugin('writeInput', WriteInputPlugin);
