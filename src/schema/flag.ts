// Feature toggles: what can be asked of environments and flags, and their evaluation.
import {
  type Evaluation as EvaluationShape,
  evaluateFlag,
  evaluateFlags,
  listEnvironments,
  listFlags,
  listStaleFlags,
  MAX_EVALUATIONS,
  readFlag,
  type StaleFlag as StaleFlagShape,
} from '../resolvers/index.js';
import { builder } from './builder.js';
import { connectionType } from './connection.js';
import { Environment, Flag } from './flag-type.js';
import './flag-mutation.js';

export { Flag } from './flag-type.js';

const FlagConnection = connectionType('Flag', Flag);

const StaleFlag = builder.objectRef<StaleFlagShape>('StaleFlag').implement({
  access: 'inherited',
  description: 'A flag that nobody evaluates any more.',
  fields: (t) => ({
    flag: t.expose('flag', { type: Flag, description: 'The flag; archiveFlag takes it away.' }),
    lastEvaluatedAt: t.expose('lastEvaluatedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'By whatever gateway; null where it has never been since it was made, or since counting began.',
    }),
  }),
});

const StaleFlagConnection = connectionType('StaleFlag', StaleFlag);

const Evaluation = builder.objectRef<EvaluationShape>('Evaluation').implement({
  access: 'inherited',
  description: 'What a flag is for one context. With an errorCode, the value is the default that the caller gave.',
  fields: (t) => ({
    key: t.exposeString('key', { description: "The flag's, as it was asked for." }),
    value: t.expose('value', {
      type: 'JSON',
      nullable: true,
      description: "The variant's value; the default that the caller gave where there is no variant.",
    }),
    variant: t.exposeString('variant', {
      nullable: true,
      description: 'The name of the variant, null where there is none.',
    }),
    reason: t.exposeString('reason', { description: 'STATIC, DEFAULT, TARGETING_MATCH, DISABLED or ERROR.' }),
    errorCode: t.exposeString('errorCode', {
      nullable: true,
      description:
        'FLAG_NOT_FOUND, PARSE_ERROR, TYPE_MISMATCH, INVALID_CONTEXT or GENERAL; null unless the reason is ERROR.',
    }),
    errorMessage: t.exposeString('errorMessage', { nullable: true, description: 'A sentence for the log.' }),
    metadata: t.expose('metadata', { type: 'JSON', description: "The flag's own." }),
    version: t.expose('version', {
      type: 'BigInt',
      nullable: true,
      description: "The flag's; null where there is none.",
    }),
    stale: t.exposeBoolean('stale', { description: 'True only when neither store could vouch for the definition.' }),
  }),
});

const ENVIRONMENT = "The environment's key.";
const FIRST = 'How many at most: 1 to 100.';
const AFTER = 'The endCursor of the page before.';
const CONTEXT = 'An object, such as {"targetingKey": "ana", "country": "BR"}.';

builder.queryFields((t) => ({
  environments: t.field({
    type: [Environment],
    access: 'public',
    description: 'By key: public ones to anybody, all to flags:read.',
    resolve: async (_, __, ctx) => [...(await listEnvironments(ctx))],
  }),
  flag: t.field({
    type: Flag,
    nullable: true,
    access: 'flags:read',
    args: {
      environment: t.arg.string({ required: true, description: ENVIRONMENT }),
      key: t.arg.string({ required: true, description: "The flag's key." }),
    },
    description: 'One flag, switched on or not; null where there is none.',
    resolve: (_, { environment, key }, ctx) => readFlag(ctx, environment, key),
  }),
  flags: t.field({
    type: FlagConnection,
    access: 'flags:read',
    extensions: { lasting: true },
    description: 'By key: those among `keys`, or all. An unknown environment has none.',
    args: {
      environment: t.arg.string({ required: true, description: ENVIRONMENT }),
      keys: t.arg.stringList({ description: 'Only these, 1,000 at most; an unknown one is left out.' }),
      first: t.arg.int({ defaultValue: 50, description: FIRST }),
      after: t.arg.string({ description: AFTER }),
    },
    resolve: (_, args, ctx) => listFlags(ctx, args),
  }),
  staleFlags: t.field({
    type: StaleFlagConnection,
    access: 'flags:read',
    description:
      'Flags that nobody has evaluated for some days, through GraphQL or OFREP and on whatever gateway, the longest unused first. An evaluation of all flags counts for each of them; it shows here within a minute. A flag that was never evaluated counts from when it was made.',
    args: {
      environment: t.arg.string({ required: true, description: ENVIRONMENT }),
      days: t.arg.int({ defaultValue: 30, description: 'Not evaluated for so many days: 1 to 3,650.' }),
      first: t.arg.int({ defaultValue: 50, description: FIRST }),
      after: t.arg.string({ description: AFTER }),
    },
    resolve: (_, args, ctx) => listStaleFlags(ctx, args),
  }),
  evaluateFlag: t.field({
    type: Evaluation,
    access: 'public',
    description:
      'Never fails: without a value to answer, it answers `default`. A flag that the caller may not evaluate (public environments: anybody; others: flags:evaluate) is a missing one.',
    args: {
      environment: t.arg.string({ required: true, description: ENVIRONMENT }),
      key: t.arg.string({ required: true, description: "The flag's key." }),
      context: t.arg({ type: 'JSON', description: CONTEXT }),
      default: t.arg({ type: 'JSON', description: 'Its type is the one expected; null expects none.' }),
    },
    resolve: (_, args, ctx) => evaluateFlag(ctx, args),
  }),
  evaluateFlags: t.field({
    type: [Evaluation],
    access: 'public',
    description: `Flags for one context: those of \`keys\` in their order, ${MAX_EVALUATIONS} at most, or all that the caller may evaluate, by key.`,
    args: {
      environment: t.arg.string({ required: true, description: ENVIRONMENT }),
      context: t.arg({ type: 'JSON', description: CONTEXT }),
      keys: t.arg.stringList({ description: 'Left out, all flags are evaluated.' }),
    },
    resolve: async (_, args, ctx) => [...(await evaluateFlags(ctx, args))],
  }),
}));
