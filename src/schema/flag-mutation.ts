// What can be done to feature toggles and environments.
import {
  archiveFlag,
  copyEnvironment,
  promoteFlag,
  saveEnvironment,
  saveFlag,
  toggleFlag,
} from '../resolvers/index.js';
import { builder } from './builder.js';
import { resultOf, settled } from './errors.js';
import { Environment, Flag } from './flag-type.js';
import { WriteOptions, WriteReceipt } from './write.js';

const SaveFlagInput = builder.inputType('SaveFlagInput', {
  description: 'All that a flag is.',
  fields: (t) => ({
    environment: t.string({ required: true, description: 'Must exist; saveEnvironment makes one.' }),
    key: t.string({ required: true, description: 'Unique within the environment.' }),
    enabled: t.boolean({ required: true, description: "Wins over the definition's own state." }),
    description: t.string({ description: 'For people; 2,000 characters at most.' }),
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
    description: 'The environment as it was saved.',
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt, description: "Its version is the environment's." }),
      environment: t.expose('environment', { type: Environment, description: 'As this write left it.' }),
    }),
  });

/** The payload of a mutation that leaves one live flag. */
const flagPayload = (name: string, description: string) =>
  builder.objectRef<Saved>(name).implement({
    access: 'inherited',
    description,
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt, description: "Its version is the flag's own." }),
      flag: t.expose('flag', { type: Flag, description: 'As this write left it.' }),
    }),
  });
const SaveFlagPayload = flagPayload('SaveFlagPayload', 'The flag as it was saved.');
const ToggleFlagPayload = flagPayload('ToggleFlagPayload', 'The flag as it was switched.');
const PromoteFlagPayload = flagPayload('PromoteFlagPayload', 'The flag in the environment that it was promoted to.');

const ArchiveFlagPayload = builder.objectRef<Awaited<ReturnType<typeof archiveFlag>>>('ArchiveFlagPayload').implement({
  access: 'inherited',
  description: 'Which flag was archived.',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt, description: "Its version is the flag's own." }),
    environment: t.exposeString('environment', { description: 'Where the flag was.' }),
    key: t.exposeString('key', { description: "The flag's." }),
  }),
});

const CopyEnvironmentPayload = builder
  .objectRef<Awaited<ReturnType<typeof copyEnvironment>>>('CopyEnvironmentPayload')
  .implement({
    access: 'inherited',
    description: 'The environment that flags were copied into.',
    fields: (t) => ({
      receipt: t.expose('receipt', {
        type: WriteReceipt,
        description: 'Its version is that of the environment copied into.',
      }),
      environment: t.expose('environment', { type: Environment, description: 'As this write left it.' }),
      copied: t.exposeInt('copied', { description: 'Flags that were made, or became other than they were.' }),
      unchanged: t.exposeInt('unchanged', { description: 'Flags that were the same already.' }),
    }),
  });

const ENVIRONMENT = "The environment's key.";
const FLAG_KEY = "The flag's key.";

builder.mutationFields((t) => ({
  saveEnvironment: t.field({
    type: resultOf(SaveEnvironmentPayload),
    access: 'flags:write',
    description: 'Makes an environment, or opens or closes it to anybody.',
    args: {
      key: t.arg.string({ required: true, description: 'Letters from A to Z, digits and . _ - (100 at most).' }),
      public: t.arg.boolean({ required: true, description: 'Whether anybody may evaluate its flags.' }),
      options: t.arg({ type: WriteOptions, description: "expectedVersion is the environment's." }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(saveEnvironment(ctx, args, options)),
  }),
  copyEnvironment: t.field({
    type: resultOf(CopyEnvironmentPayload),
    access: 'flags:write',
    description:
      'Promotes every live flag of one environment into another, as promoteFlag does; flags that the other alone has stay. 10,000 flags at most.',
    args: {
      from: t.arg.string({ required: true, description: 'The environment whose flags are copied.' }),
      to: t.arg.string({ required: true, description: 'Made, and not public, where there is none.' }),
      options: t.arg({
        type: WriteOptions,
        description:
          "expectedVersion is that of `to`, which moves with the number of its flags, not with each flag's definition.",
      }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(copyEnvironment(ctx, args, options)),
  }),
  saveFlag: t.field({
    type: resultOf(SaveFlagPayload),
    access: 'flags:write',
    description: 'Makes a flag exactly this, whether it was there or not. The receipt has its own version.',
    args: {
      input: t.arg({ type: SaveFlagInput, required: true, description: 'All that the flag is to be.' }),
      options: t.arg({ type: WriteOptions, description: "expectedVersion is the flag's own." }),
    },
    resolve: (_, { input, options }, ctx) => settled(saveFlag(ctx, input, options)),
  }),
  toggleFlag: t.field({
    type: resultOf(ToggleFlagPayload),
    access: 'flags:write',
    description:
      "The kill switch: switches a flag on or off and leaves its definition alone. Once it is off, every gateway's evaluations answer the caller's default with the reason DISABLED, from the moment that the receipt says visible.",
    args: {
      environment: t.arg.string({ required: true, description: ENVIRONMENT }),
      key: t.arg.string({ required: true, description: FLAG_KEY }),
      enabled: t.arg.boolean({ required: true, description: "Wins over the definition's own state." }),
      options: t.arg({ type: WriteOptions, description: "expectedVersion is the flag's own." }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(toggleFlag(ctx, args, options)),
  }),
  promoteFlag: t.field({
    type: resultOf(PromoteFlagPayload),
    access: 'flags:write',
    description:
      'Makes a flag in one environment what it is in another: its definition and description. Where it lives there already it keeps its switch, so that promoting undoes no kill switch; where it does not, it is made with the switch that it has in `from`.',
    args: {
      key: t.arg.string({ required: true, description: FLAG_KEY }),
      from: t.arg.string({ required: true, description: 'The environment to take it from.' }),
      to: t.arg.string({ required: true, description: 'The environment to bring it to; it must exist.' }),
      options: t.arg({
        type: WriteOptions,
        description: "expectedVersion is the flag's own in `to`; 0 where it is new.",
      }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(promoteFlag(ctx, args, options)),
  }),
  archiveFlag: t.field({
    type: resultOf(ArchiveFlagPayload),
    access: 'flags:write',
    description: 'Takes a flag away from readers and evaluations; saveFlag brings it back.',
    args: {
      environment: t.arg.string({ required: true, description: ENVIRONMENT }),
      key: t.arg.string({ required: true, description: FLAG_KEY }),
      options: t.arg({ type: WriteOptions, description: "expectedVersion is the flag's own." }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(archiveFlag(ctx, args, options)),
  }),
}));
