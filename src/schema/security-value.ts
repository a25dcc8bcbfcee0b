// Security values, as clients see them: of a list never the members, of a secret never a value but in the answer of
// revealSecret.
import {
  changeSecurityList,
  currentVersionOf,
  globalId,
  hasScope,
  listSecurityValues,
  putParameter,
  putSecret,
  readSecurityValue,
  revealSecret,
  rotationDueOf,
  type SecretVersion as SecretVersionShape,
  type SecurityValue as SecurityValueShape,
  securityListContains,
} from '../resolvers/index.js';
import { builder } from './builder.js';
import { connectionType } from './connection.js';
import { resultOf, settled } from './errors.js';
import { Node, nodeReader } from './node.js';
import { WriteOptions, WriteReceipt } from './write.js';

const SecurityValueKind = builder.enumType('SecurityValueKind', {
  values: {
    PARAMETER: { description: 'A JSON document, checked by a JSON Schema.' },
    LIST: { description: 'A set of strings, asked by membership.' },
    SECRET: { description: 'A value kept encrypted, in numbered versions.' },
  } as const,
});

const SecretState = builder.enumType('SecretState', {
  values: {
    CURRENT: { description: 'The one to use; a secret has one.' },
    PREVIOUS: { description: 'Replaced, but kept.' },
    DESTROYED: { description: 'Its value is gone for good.' },
  } as const,
});

const SecretVersion = builder.objectRef<SecretVersionShape>('SecretVersion').implement({
  access: 'inherited',
  description: 'One version of a secret, without its value.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: 'From 1; the greatest is the newest.' }),
    state: t.expose('state', { type: SecretState }),
    createdAt: t.field({ type: 'DateTime', resolve: ({ createdAt }) => new Date(createdAt) }),
    createdBy: t.exposeString('createdBy', { description: "A token's subject." }),
    validUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Until when a PREVIOUS version may still be in use.',
      resolve: ({ validUntil }) => (validUntil === null ? null : new Date(validUntil)),
    }),
  }),
});

const SecurityValue = builder.objectRef<SecurityValueShape>('SecurityValue').implement({
  access: 'inherited',
  description: 'A parameter, a list or a secret. A name keeps its kind.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: ({ name }) => globalId('SecurityValue', name) }),
    name: t.exposeString('name'),
    kind: t.expose('kind', { type: SecurityValueKind }),
    parameter: t.expose('parameter', {
      type: 'JSON',
      nullable: true,
      description: 'Of a parameter; null for the other kinds.',
    }),
    schema: t.expose('schema', {
      type: 'JSON',
      nullable: true,
      description: 'The JSON Schema (2020-12) that the parameter satisfies; null where it has none.',
    }),
    memberCount: t.exposeInt('memberCount', {
      nullable: true,
      description: 'Of a list; null for the other kinds.',
    }),
    currentVersion: t.int({
      nullable: true,
      description: 'Of a secret; null for the other kinds.',
      resolve: currentVersionOf,
    }),
    versions: t.field({
      type: [SecretVersion],
      description: 'Of a secret, the newest first; empty for the other kinds.',
      resolve: ({ versions }) => [...versions],
    }),
    rotateEveryDays: t.exposeInt('rotateEveryDays', {
      nullable: true,
      description: 'Of a secret; null where it is never due.',
    }),
    rotationDue: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the secret is to be replaced; null where it never is.',
      resolve: rotationDueOf,
    }),
    version: t.expose('version', { type: 'BigInt' }),
    updatedAt: t.expose('asOf', { type: 'DateTime', description: 'When it was last changed, by whomever.' }),
    asOf: t.expose('asOf', { type: 'DateTime', description: 'When this version was written.' }),
    stale: t.exposeBoolean('stale', { description: 'Always false: these reads ask Postgres in doubt, or fail.' }),
  }),
});

nodeReader('SecurityValue', async (ctx, name) =>
  hasScope(ctx, 'security:read') ? readSecurityValue(ctx, name) : null,
);

const SecurityValueConnection = connectionType('SecurityValue', SecurityValue);

builder.queryFields((t) => ({
  securityValue: t.field({
    type: SecurityValue,
    nullable: true,
    access: 'security:read',
    description: "Never a secret's value.",
    args: { name: t.arg.string({ required: true }) },
    resolve: (_, { name }, ctx) => readSecurityValue(ctx, name),
  }),
  securityValues: t.field({
    type: SecurityValueConnection,
    access: 'security:read',
    description: 'By name; read from SQL.',
    args: {
      prefix: t.arg.string({ description: 'How the names begin.' }),
      kind: t.arg({ type: SecurityValueKind }),
      rotationDue: t.arg.boolean({ description: 'Secrets whose rotation is due now, or everything else.' }),
      first: t.arg.int({ defaultValue: 50 }),
      after: t.arg.string(),
    },
    resolve: (_, args, ctx) => listSecurityValues(ctx, args),
  }),
  securityListContains: t.field({
    type: ['Boolean'],
    access: 'security:read',
    description:
      'Whether each of the members is in the list, in their order; 1,000 at most, in one round-trip. A list that does not exist is an error, never a "no".',
    args: { name: t.arg.string({ required: true }), members: t.arg.stringList({ required: true }) },
    resolve: async (_, { name, members }, ctx) => [...(await securityListContains(ctx, name, members))],
  }),
}));

const PutParameterPayload = builder
  .objectRef<Awaited<ReturnType<typeof putParameter>>>('PutParameterPayload')
  .implement({
    access: 'inherited',
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt }),
      securityValue: t.expose('securityValue', { type: SecurityValue }),
    }),
  });
const ChangeSecurityListPayload = builder
  .objectRef<Awaited<ReturnType<typeof changeSecurityList>>>('ChangeSecurityListPayload')
  .implement({
    access: 'inherited',
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt }),
      securityValue: t.expose('securityValue', { type: SecurityValue }),
      added: t.exposeInt('added', { description: 'Members that were not in the list.' }),
      removed: t.exposeInt('removed', { description: 'Members that were.' }),
    }),
  });
const PutSecretPayload = builder.objectRef<Awaited<ReturnType<typeof putSecret>>>('PutSecretPayload').implement({
  access: 'inherited',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt }),
    securityValue: t.expose('securityValue', { type: SecurityValue }),
  }),
});
const RevealSecretPayload = builder
  .objectRef<Awaited<ReturnType<typeof revealSecret>>>('RevealSecretPayload')
  .implement({
    access: 'inherited',
    fields: (t) => ({
      value: t.exposeString('value'),
      version: t.exposeInt('version'),
      changeId: t.exposeID('changeId', { description: 'The audit row, committed before the value was opened.' }),
    }),
  });

builder.mutationFields((t) => ({
  putParameter: t.field({
    type: resultOf(PutParameterPayload),
    access: 'security:write',
    description: 'Makes a parameter exactly this, whether it was there or not.',
    args: {
      name: t.arg.string({ required: true }),
      parameter: t.arg({ type: 'JSON', required: true }),
      schema: t.arg({
        type: 'JSON',
        description:
          'JSON Schema 2020-12 that this and every later parameter must satisfy. Left out: the one that stands; {} accepts everything.',
      }),
      options: t.arg({ type: WriteOptions }),
    },
    resolve: (_, { name, parameter, schema, options }, ctx) =>
      settled(putParameter(ctx, { name, parameter, schema }, options)),
  }),
  changeSecurityList: t.field({
    type: resultOf(ChangeSecurityListPayload),
    access: 'security:write',
    description: 'Adds and removes members, 10,000 at most together. A list is made by what is first added to it.',
    args: {
      name: t.arg.string({ required: true }),
      add: t.arg.stringList({ description: '1 to 1,000 characters each, kept as they are.' }),
      remove: t.arg.stringList(),
      options: t.arg({ type: WriteOptions }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(changeSecurityList(ctx, args, options)),
  }),
  putSecret: t.field({
    type: resultOf(PutSecretPayload),
    access: 'security:write',
    description: 'Makes this the current version of a secret; the version before it becomes PREVIOUS at once.',
    args: {
      name: t.arg.string({ required: true }),
      value: t.arg.string({ required: true, description: 'At most 64 KiB; encrypted before it is stored anywhere.' }),
      rotateEveryDays: t.arg.int({ description: 'Left out: as it is; 0: never.' }),
      options: t.arg({ type: WriteOptions }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(putSecret(ctx, args, options)),
  }),
  revealSecret: t.field({
    type: resultOf(RevealSecretPayload),
    access: 'security:reveal',
    description: 'The value of a version, or of the current one. Who asked, and why, is in the audit log by then.',
    args: {
      name: t.arg.string({ required: true }),
      version: t.arg.int(),
      reason: t.arg.string({ required: true }),
    },
    resolve: (_, args, ctx) => settled(revealSecret(ctx, args)),
  }),
}));
