// Feature toggles: environments, flags, and their evaluation, as clients see them.
import {
  archiveFlag,
  type Context,
  type Environment as EnvironmentShape,
  type Evaluation as EvaluationShape,
  evaluateFlag,
  evaluateFlags,
  type Flag as FlagShape,
  flagKeyOf,
  globalId,
  hasScope,
  listEnvironments,
  listFlags,
  MAX_EVALUATIONS,
  placeOfKey,
  readEnvironment,
  readFlag,
  saveEnvironment,
  saveFlag,
  toggleFlag,
} from '../resolvers/index.js';
import { builder } from './builder.js';
import { connectionType } from './connection.js';
import { resultOf, settled } from './errors.js';
import { Node, nodeReader } from './node.js';
import { WriteOptions, WriteReceipt } from './write.js';

const Environment = builder.objectRef<EnvironmentShape>('Environment').implement({
  access: 'inherited',
  description: 'What flags belong to.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: ({ value }) => globalId('Environment', value.key) }),
    key: t.string({ resolve: ({ value }) => value.key }),
    public: t.boolean({ description: 'Anybody may evaluate its flags.', resolve: ({ value }) => value.public }),
    flagCount: t.int({ description: 'Without archived ones.', resolve: ({ value }) => value.flagCount }),
    version: t.expose('version', { type: 'BigInt', description: 'Moves with `public` and `flagCount`.' }),
  }),
});

export const Flag = builder.objectRef<FlagShape>('Flag').implement({
  access: 'inherited',
  description: "`enabled` wins over the definition's own state.",
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (flag) => globalId('Flag', flagKeyOf(flag)) }),
    environment: t.exposeString('environment'),
    key: t.exposeString('key'),
    enabled: t.exposeBoolean('enabled'),
    description: t.exposeString('description', { nullable: true, access: 'flags:read' }),
    definition: t.expose('definition', { type: 'JSON', access: 'flags:read', description: "In flagd's JSON form." }),
    variants: t.field({
      type: 'JSON',
      access: 'flags:read',
      description: 'Values by name.',
      resolve: ({ variants }) => variants,
    }),
    defaultVariant: t.exposeString('defaultVariant', {
      nullable: true,
      access: 'flags:read',
      description: 'What is served when no targeting applies; null leaves it to the caller.',
    }),
    version: t.expose('version', { type: 'BigInt', description: "The flag's own." }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime' }),
    asOf: t.expose('asOf', { type: 'DateTime', description: 'When this version was written.' }),
    stale: t.exposeBoolean('stale', { description: 'True only when neither store could vouch for it.' }),
  }),
});

const mayRead = (ctx: Context) => hasScope(ctx, 'flags:read');

nodeReader('Environment', readEnvironment);
nodeReader('Flag', async (ctx, key) => {
  const place = placeOfKey(key);
  return place && mayRead(ctx) ? readFlag(ctx, place.environment, place.key) : null;
});

const FlagConnection = connectionType('Flag', Flag);

const Evaluation = builder.objectRef<EvaluationShape>('Evaluation').implement({
  access: 'inherited',
  description: 'What a flag is for one context. With an errorCode, the value is the default that the caller gave.',
  fields: (t) => ({
    key: t.exposeString('key'),
    value: t.expose('value', { type: 'JSON', nullable: true }),
    variant: t.exposeString('variant', { nullable: true }),
    reason: t.exposeString('reason', { description: 'STATIC, DEFAULT, TARGETING_MATCH, DISABLED or ERROR.' }),
    errorCode: t.exposeString('errorCode', {
      nullable: true,
      description:
        'FLAG_NOT_FOUND, PARSE_ERROR, TYPE_MISMATCH, INVALID_CONTEXT or GENERAL; null unless the reason is ERROR.',
    }),
    errorMessage: t.exposeString('errorMessage', { nullable: true }),
    metadata: t.expose('metadata', { type: 'JSON', description: "The flag's own." }),
    version: t.expose('version', {
      type: 'BigInt',
      nullable: true,
      description: "The flag's; null where there is none.",
    }),
    stale: t.exposeBoolean('stale', { description: 'True only when neither store could vouch for the definition.' }),
  }),
});

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
    args: { environment: t.arg.string({ required: true }), key: t.arg.string({ required: true }) },
    resolve: (_, { environment, key }, ctx) => readFlag(ctx, environment, key),
  }),
  flags: t.field({
    type: FlagConnection,
    access: 'flags:read',
    description: 'By key: those among `keys`, or all. An unknown environment has none.',
    args: {
      environment: t.arg.string({ required: true }),
      keys: t.arg.stringList(),
      first: t.arg.int({ defaultValue: 50 }),
      after: t.arg.string(),
    },
    resolve: (_, args, ctx) => listFlags(ctx, args),
  }),
  evaluateFlag: t.field({
    type: Evaluation,
    access: 'public',
    description:
      'Never fails: without a value to answer, it answers `default`. A flag that the caller may not evaluate (public environments: anybody; others: flags:evaluate) is a missing one.',
    args: {
      environment: t.arg.string({ required: true }),
      key: t.arg.string({ required: true }),
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
      environment: t.arg.string({ required: true }),
      context: t.arg({ type: 'JSON', description: CONTEXT }),
      keys: t.arg.stringList(),
    },
    resolve: async (_, args, ctx) => [...(await evaluateFlags(ctx, args))],
  }),
}));

const SaveFlagInput = builder.inputType('SaveFlagInput', {
  fields: (t) => ({
    environment: t.string({ required: true }),
    key: t.string({ required: true, description: 'Unique within the environment.' }),
    enabled: t.boolean({ required: true, description: "Wins over the definition's own state." }),
    description: t.string(),
    definition: t.field({
      type: 'JSON',
      required: true,
      description: "In flagd's JSON form: state, variants, defaultVariant, targeting, metadata.",
    }),
  }),
});

type Saved = Awaited<ReturnType<typeof saveFlag>>;

const SaveEnvironmentPayload = builder
  .objectRef<Awaited<ReturnType<typeof saveEnvironment>>>('SaveEnvironmentPayload')
  .implement({
    access: 'inherited',
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt }),
      environment: t.expose('environment', { type: Environment }),
    }),
  });
const SaveFlagPayload = builder.objectRef<Saved>('SaveFlagPayload').implement({
  access: 'inherited',
  fields: (t) => ({ receipt: t.expose('receipt', { type: WriteReceipt }), flag: t.expose('flag', { type: Flag }) }),
});
const ToggleFlagPayload = builder.objectRef<Saved>('ToggleFlagPayload').implement({
  access: 'inherited',
  fields: (t) => ({ receipt: t.expose('receipt', { type: WriteReceipt }), flag: t.expose('flag', { type: Flag }) }),
});
const ArchiveFlagPayload = builder.objectRef<Awaited<ReturnType<typeof archiveFlag>>>('ArchiveFlagPayload').implement({
  access: 'inherited',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt }),
    environment: t.exposeString('environment'),
    key: t.exposeString('key'),
  }),
});

builder.mutationFields((t) => ({
  saveEnvironment: t.field({
    type: resultOf(SaveEnvironmentPayload),
    access: 'flags:write',
    description: 'Makes an environment, or opens or closes it to anybody.',
    args: {
      key: t.arg.string({ required: true }),
      public: t.arg.boolean({ required: true }),
      options: t.arg({ type: WriteOptions }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(saveEnvironment(ctx, args, options)),
  }),
  saveFlag: t.field({
    type: resultOf(SaveFlagPayload),
    access: 'flags:write',
    description: 'Makes a flag exactly this, whether it was there or not. The receipt has its own version.',
    args: { input: t.arg({ type: SaveFlagInput, required: true }), options: t.arg({ type: WriteOptions }) },
    resolve: (_, { input, options }, ctx) => settled(saveFlag(ctx, input, options)),
  }),
  toggleFlag: t.field({
    type: resultOf(ToggleFlagPayload),
    access: 'flags:write',
    description: 'Switches a flag on or off.',
    args: {
      environment: t.arg.string({ required: true }),
      key: t.arg.string({ required: true }),
      enabled: t.arg.boolean({ required: true }),
      options: t.arg({ type: WriteOptions }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(toggleFlag(ctx, args, options)),
  }),
  archiveFlag: t.field({
    type: resultOf(ArchiveFlagPayload),
    access: 'flags:write',
    description: 'Takes a flag away from readers and evaluations; saveFlag brings it back.',
    args: {
      environment: t.arg.string({ required: true }),
      key: t.arg.string({ required: true }),
      options: t.arg({ type: WriteOptions }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(archiveFlag(ctx, args, options)),
  }),
}));
