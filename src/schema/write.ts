// What all mutations share: their options and their receipt.
import type { Receipt } from '../resolvers/index.js';
import { builder } from './builder.js';

export const WriteOptions = builder.inputType('WriteOptions', {
  fields: (t) => ({
    expectedVersion: t.field({
      type: 'BigInt',
      description: 'Refuse with ConflictError unless the row still has this version.',
    }),
    idempotencyKey: t.string({
      description:
        'Not available yet, and refused. To come: the same key with the same input within 24 h gives the first result again.',
    }),
    dryRun: t.boolean({
      defaultValue: false,
      description: 'Not available yet, and refused. To come: all checks, nothing written.',
    }),
    reason: t.string({ description: 'Kept in the audit log.' }),
  }),
});

export const WriteReceipt = builder.objectRef<Receipt>('WriteReceipt').implement({
  access: 'inherited',
  fields: (t) => ({
    changeId: t.exposeID('changeId', { nullable: true, description: 'The audit row; null for a dry run.' }),
    version: t.expose('version', {
      type: 'BigInt',
      nullable: true,
      description: 'The version written; for a dry run the current one, null where there is none.',
    }),
    visible: t.exposeBoolean('visible', {
      description:
        "Every gateway's next read returns this write or a newer one. False where Redis was lost after COMMIT: the write is stored, and shows once it is carried over.",
    }),
    dryRun: t.exposeBoolean('dryRun'),
  }),
});
