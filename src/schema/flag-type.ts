// Environments and flags as clients see them.
import {
  type Context,
  type Environment as EnvironmentShape,
  type Flag as FlagShape,
  flagKeyOf,
  globalId,
  hasScope,
  placeOfKey,
  readEnvironment,
  readFlag,
} from '../resolvers/index.js';
import { builder } from './builder.js';
import { Node, nodeReader } from './node.js';

export const Environment = builder.objectRef<EnvironmentShape>('Environment').implement({
  access: 'inherited',
  description: 'What flags belong to, such as production.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ description: 'The global id.', resolve: ({ value }) => globalId('Environment', value.key) }),
    key: t.string({ description: 'Its name, unique.', resolve: ({ value }) => value.key }),
    public: t.boolean({ description: 'Anybody may evaluate its flags.', resolve: ({ value }) => value.public }),
    flagCount: t.int({ description: 'Without archived ones.', resolve: ({ value }) => value.flagCount }),
    version: t.expose('version', { type: 'BigInt', description: 'Moves with `public` and `flagCount`.' }),
  }),
});

export const Flag = builder.objectRef<FlagShape>('Flag').implement({
  access: 'inherited',
  extensions: { follows: true },
  description: "`enabled` wins over the definition's own state.",
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ description: 'The global id.', resolve: (flag) => globalId('Flag', flagKeyOf(flag)) }),
    environment: t.exposeString('environment', { description: "The environment's key." }),
    key: t.exposeString('key', { description: 'Unique within its environment.' }),
    enabled: t.exposeBoolean('enabled', {
      description:
        "The kill switch: while it is off, evaluations answer the caller's default with the reason DISABLED.",
    }),
    description: t.exposeString('description', { nullable: true, access: 'flags:read', description: 'For people.' }),
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
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When the flag last became other than it was.',
    }),
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
