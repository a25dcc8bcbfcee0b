// What all mutations share: their options and their receipt.
import type { Receipt } from '../resolvers/index.js';
import { builder } from './builder.js';

export const WriteOptions = builder.inputType('WriteOptions', {
  description: 'How a mutation is to be carried out. All of it may be left out.',
  fields: (t) => ({
    expectedVersion: t.field({
      type: 'BigInt',
      description: 'Refuse with ConflictError unless the row still has this version.',
    }),
    idempotencyKey: t.string({
      description:
        'A name for this mutation, of 1 to 255 characters, such as a random UUID. The same key of the same caller with the same input within 24 h gives the first result again, without secrets, and writes nothing; with other input, or another expectedVersion or reason, IdempotencyError. Of several at once one writes. A refused mutation leaves its key unused.',
    }),
    dryRun: t.boolean({
      defaultValue: false,
      description:
        'All checks, nothing written: the payload shows what would be. Versions in it are of no use, and secrets are null.',
    }),
    reason: t.string({ description: 'Kept in the audit log; 1,000 characters at most.' }),
  }),
});

export const WriteReceipt = builder.objectRef<Receipt>('WriteReceipt').implement({
  access: 'inherited',
  description: 'What became of a mutation.',
  fields: (t) => ({
    changeId: t.exposeID('changeId', { nullable: true, description: 'The audit row; null for a dry run.' }),
    version: t.expose('version', {
      type: 'BigInt',
      nullable: true,
      description: 'The version written; for a dry run the current one, null where there is none.',
    }),
    visible: t.exposeBoolean('visible', {
      description:
        "Every gateway's next read returns this write or a newer one. False for a dry run, and where Redis was lost after COMMIT: the write is stored, and shows once it is carried over.",
    }),
    dryRun: t.exposeBoolean('dryRun', { description: 'Nothing was written.' }),
  }),
});
