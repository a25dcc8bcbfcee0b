// Security values, as clients read them: of a list never the members, of a secret never a value.
import {
  currentVersionOf,
  globalId,
  hasScope,
  listSecurityValues,
  readSecurityValue,
  rotationDueOf,
  type SecretVersion as SecretVersionShape,
  type SecurityValue as SecurityValueShape,
  securityListContains,
} from '../resolvers/index.js';
import { builder } from './builder.js';
import { connectionType } from './connection.js';
import { Node, nodeReader } from './node.js';

const SecurityValueKind = builder.enumType('SecurityValueKind', {
  description: 'What a security value is; a name keeps its kind.',
  values: {
    PARAMETER: { description: 'A JSON document, checked by a JSON Schema.' },
    LIST: { description: 'A set of strings, asked by membership.' },
    SECRET: { description: 'A value kept encrypted, in numbered versions.' },
  } as const,
});

const SecretState = builder.enumType('SecretState', {
  description: 'Where a version of a secret stands.',
  values: {
    CURRENT: { description: 'The one to use. A secret has one, or none once that is destroyed.' },
    PREVIOUS: { description: 'Replaced, but kept: it can be revealed until its end, if it has one, and restored.' },
    DESTROYED: { description: 'Its value is gone for good; number, time and author stay.' },
  } as const,
});

export const SecurityListKind = builder.enumType('SecurityListKind', {
  description: 'What the members of a list are, and so what it means that something is in it.',
  values: {
    TEXT: { description: 'Strings, compared character by character.' },
    ADDRESS: {
      description:
        'IP addresses and networks (CIDR), IPv4 and IPv6, each kept in one written form. An address, or a network, is in the list when a network of the list is around it.',
    },
  } as const,
});

const SecretVersion = builder.objectRef<SecretVersionShape>('SecretVersion').implement({
  access: 'inherited',
  description: 'One version of a secret, without its value.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: 'From 1, in the order that values were put in.' }),
    state: t.expose('state', { type: SecretState, description: 'What can still be done with it.' }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When its value was put in; restoring it does not make it younger.',
      resolve: ({ createdAt }) => new Date(createdAt),
    }),
    createdBy: t.exposeString('createdBy', { description: 'The subject of the token that put it in.' }),
    validUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Of a PREVIOUS version: until when it can be revealed; null where rotateSecret has set no end.',
      resolve: ({ validUntil }) => (validUntil === null ? null : new Date(validUntil)),
    }),
  }),
});

export const SecurityValue = builder.objectRef<SecurityValueShape>('SecurityValue').implement({
  access: 'inherited',
  description: 'A parameter, a list or a secret. A name keeps its kind.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({
      description: 'Global id, made from the name.',
      resolve: ({ name }) => globalId('SecurityValue', name),
    }),
    name: t.exposeString('name', { description: 'By which it is asked for.' }),
    kind: t.expose('kind', { type: SecurityValueKind, description: 'Which of the fields below it has.' }),
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
      description: 'Of a list: strings, or networks with single addresses; null for the other kinds.',
    }),
    listKind: t.expose('listKind', {
      type: SecurityListKind,
      nullable: true,
      description: 'Of a list: what its members are; null for the other kinds.',
    }),
    currentVersion: t.int({
      nullable: true,
      description: 'Of a secret; null for the other kinds, and where the current version is destroyed.',
      resolve: currentVersionOf,
    }),
    versions: t.field({
      type: [SecretVersion],
      description: 'Of a secret, the newest first; empty for the other kinds.',
      resolve: ({ versions }) => [...versions],
    }),
    rotateEveryDays: t.exposeInt('rotateEveryDays', {
      nullable: true,
      description: 'Of a secret: how old its current version may become; null where it is never due.',
    }),
    rotationDue: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the secret is to be replaced; null where it never is.',
      resolve: rotationDueOf,
    }),
    version: t.expose('version', { type: 'BigInt', description: 'Of the value as a whole, for expectedVersion.' }),
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
    description: "A security value by its name; never a secret's value, never the members of a list.",
    args: { name: t.arg.string({ required: true, description: 'Its name.' }) },
    resolve: (_, { name }, ctx) => readSecurityValue(ctx, name),
  }),
  securityValues: t.field({
    type: SecurityValueConnection,
    access: 'security:read',
    description: 'Security values in the order of their names; read from SQL.',
    args: {
      prefix: t.arg.string({ description: 'How the names begin.' }),
      kind: t.arg({ type: SecurityValueKind, description: 'Only those of this kind.' }),
      rotationDue: t.arg.boolean({ description: 'Secrets whose rotation is due now, or everything else.' }),
      first: t.arg.int({ defaultValue: 50, description: '1 to 100 of them.' }),
      after: t.arg.string({ description: 'endCursor of the page before.' }),
    },
    resolve: (_, args, ctx) => listSecurityValues(ctx, args),
  }),
  securityListContains: t.field({
    type: ['Boolean'],
    access: 'security:read',
    description:
      'Whether each of the members is in the list, in their order; 1,000 at most, in one round-trip. In a list of addresses: whether a network of the list is around it. A list that does not exist is an error, never a "no"; so is, in a list of addresses, what is no address.',
    args: {
      name: t.arg.string({ required: true, description: 'Of the list.' }),
      members: t.arg.stringList({
        required: true,
        description: 'Texts; or addresses and networks, such as 192.0.2.7, ::ffff:192.0.2.7 or 2001:db8::/48.',
      }),
    },
    resolve: async (_, { name, members }, ctx) => [...(await securityListContains(ctx, name, members))],
  }),
}));
