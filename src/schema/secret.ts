// Mutations of secrets. A value goes in by putSecret and rotateSecret, and comes out in the answer of revealSecret alone.
import { destroySecretVersion, putSecret, restoreSecret, revealSecret, rotateSecret } from '../resolvers/index.js';
import { builder } from './builder.js';
import { resultOf, settled } from './errors.js';
import { SecurityValue } from './security-value.js';
import { WriteOptions, WriteReceipt } from './write.js';

type Written = Awaited<ReturnType<typeof putSecret>>;

const PutSecretPayload = builder.objectRef<Written>('PutSecretPayload').implement({
  access: 'inherited',
  description: 'The secret with its new version.',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt, description: 'What was written, and who sees it.' }),
    securityValue: t.expose('securityValue', { type: SecurityValue, description: 'The secret, without any value.' }),
  }),
});
const RotateSecretPayload = builder.objectRef<Written>('RotateSecretPayload').implement({
  access: 'inherited',
  description: 'The secret with its new version, and the end of the one before.',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt, description: 'What was written, and who sees it.' }),
    securityValue: t.expose('securityValue', { type: SecurityValue, description: 'The secret, without any value.' }),
  }),
});
const RestoreSecretPayload = builder.objectRef<Written>('RestoreSecretPayload').implement({
  access: 'inherited',
  description: 'The secret with the version that is current again.',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt, description: 'What was written, and who sees it.' }),
    securityValue: t.expose('securityValue', { type: SecurityValue, description: 'The secret, without any value.' }),
  }),
});
const DestroySecretVersionPayload = builder.objectRef<Written>('DestroySecretVersionPayload').implement({
  access: 'inherited',
  description: 'The secret with the version that is destroyed.',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt, description: 'What was written, and who sees it.' }),
    securityValue: t.expose('securityValue', { type: SecurityValue, description: 'The secret, without any value.' }),
  }),
});
const RevealSecretPayload = builder
  .objectRef<Awaited<ReturnType<typeof revealSecret>>>('RevealSecretPayload')
  .implement({
    access: 'inherited',
    description: 'The one answer that has the value of a secret.',
    fields: (t) => ({
      value: t.exposeString('value', { description: 'As it was put in.' }),
      version: t.exposeInt('version', { description: 'The number of the version that it is.' }),
      changeId: t.exposeID('changeId', { description: 'The audit row, committed before the value was opened.' }),
    }),
  });

const NAME = '1 to 200 letters, digits and . _ / -, with a letter or digit in front.';
const VALUE = 'At most 64 KiB in UTF-8; encrypted before it is stored anywhere.';
const OPTIONS = 'How the write is to be done.';

builder.mutationFields((t) => ({
  putSecret: t.field({
    type: resultOf(PutSecretPayload),
    access: 'security:write',
    description:
      'Makes this the current version of a secret, which is made if there is none. The version before it becomes PREVIOUS, and can be revealed until it is destroyed.',
    args: {
      name: t.arg.string({ required: true, description: NAME }),
      value: t.arg.string({ required: true, description: VALUE }),
      rotateEveryDays: t.arg.int({
        description:
          'How old a version may become before its rotation is due: 1 to 3,650. Left out: as it is; 0: never.',
      }),
      options: t.arg({ type: WriteOptions, description: OPTIONS }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(putSecret(ctx, args, options)),
  }),
  rotateSecret: t.field({
    type: resultOf(RotateSecretPayload),
    access: 'security:write',
    description:
      'Makes this the current version of a secret that there is. The version before it can be revealed for the overlap, and not after it.',
    args: {
      name: t.arg.string({ required: true, description: 'Of the secret.' }),
      value: t.arg.string({ required: true, description: VALUE }),
      overlapSeconds: t.arg.int({
        required: true,
        description: 'How long the version before can still be revealed: 0 to 2,592,000, which is 30 days.',
      }),
      options: t.arg({ type: WriteOptions, description: OPTIONS }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(rotateSecret(ctx, args, options)),
  }),
  restoreSecret: t.field({
    type: resultOf(RestoreSecretPayload),
    access: 'security:write',
    description:
      'Makes a PREVIOUS version the current one again, also after its overlap. It keeps its number and its age; the version that was current becomes PREVIOUS.',
    args: {
      name: t.arg.string({ required: true, description: 'Of the secret.' }),
      version: t.arg.int({ required: true, description: 'The number of the version.' }),
      options: t.arg({ type: WriteOptions, description: OPTIONS }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(restoreSecret(ctx, args, options)),
  }),
  destroySecretVersion: t.field({
    type: resultOf(DestroySecretVersionPayload),
    access: 'security:write',
    description:
      'Destroys the value of a version for good, also of the current one: its ciphertext is then in no row of Postgres and no entry of Redis. What remains in log files and backups, docs/security-values.md says.',
    args: {
      name: t.arg.string({ required: true, description: 'Of the secret.' }),
      version: t.arg.int({ required: true, description: 'The number of the version.' }),
      options: t.arg({ type: WriteOptions, description: OPTIONS }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(destroySecretVersion(ctx, args, options)),
  }),
  revealSecret: t.field({
    type: resultOf(RevealSecretPayload),
    access: 'security:reveal',
    description:
      'The value of a version, or of the current one. Who asked, and why, is in the audit log by then. A caller reveals 60 secrets at once and one more each second; beyond that it is RATE_LIMITED.',
    args: {
      name: t.arg.string({ required: true, description: 'Of the secret.' }),
      version: t.arg.int({ description: 'Left out: the current one.' }),
      reason: t.arg.string({ required: true, description: 'Why, in 1 to 1,000 characters; kept in the audit log.' }),
    },
    resolve: (_, args, ctx) => settled(revealSecret(ctx, args)),
  }),
}));
