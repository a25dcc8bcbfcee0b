// The audit log, as clients see it.
import { type Change as ChangeShape, globalId, hasScope, listChanges, readChange } from '../resolvers/index.js';
import { builder } from './builder.js';
import { connectionType, pageArgs } from './connection.js';
import { Node, nodeReader } from './node.js';

const ChangeDomain = builder.enumType('ChangeDomain', {
  description: 'What a change is filed under.',
  values: {
    MENU: { description: 'A menu; its key is `key:locale`.' },
    STATEMENT: { description: 'An account, by its number, one of its days, as `number/date`, or an imported file.' },
    TOKEN: { description: 'A token, by the UUID in its id, or all of a subject.' },
    FLAG: { description: 'A flag, as `environment/key`, or an environment.' },
    SECURITY_VALUE: { description: 'A parameter, list or secret, by its name.' },
    CACHE_POLICY: { description: "A view's policy, or operators' hand on its entries; the key is the view's name." },
  } as const,
});

const Change = builder.objectRef<ChangeShape>('Change').implement({
  access: 'inherited',
  description: "An audit row. A secret's value appears in neither before nor after.",
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ description: 'Its global id, the changeId of a receipt.', resolve: ({ id }) => globalId('Change', id) }),
    at: t.field({
      type: 'DateTime',
      description: 'When its transaction began.',
      resolve: ({ at }) => new Date(Number(at)),
    }),
    actor: t.exposeString('actor', { description: "The subject of the caller's token; `cli` for an import." }),
    action: t.exposeString('action', { description: 'The mutation, or `import…`.' }),
    domain: t.expose('domain', { type: ChangeDomain, description: 'What it is filed under.' }),
    key: t.exposeString('key', { description: 'Of what was changed, as its domain has it.' }),
    reason: t.exposeString('reason', { nullable: true, description: 'As the caller gave it.' }),
    before: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The facts that were changed, as they stood; null where there were none.',
      resolve: ({ before }) => before,
    }),
    after: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The same facts afterwards, or what was done.',
      resolve: ({ after }) => after,
    }),
  }),
});

nodeReader('Change', async (ctx, key) => (hasScope(ctx, 'audit:read') ? readChange(ctx, key) : null));

const ChangeConnection = connectionType('Change', Change);

builder.queryFields((t) => ({
  changes: t.field({
    type: ChangeConnection,
    access: 'audit:read',
    description: 'The audit log, the newest first; read from SQL. Every mutation that was committed is there.',
    args: {
      domain: t.arg({ type: ChangeDomain, description: 'Only changes filed under this domain.' }),
      key: t.arg.string({ description: 'Only changes of what has this key, whatever its domain.' }),
      ...pageArgs,
    },
    resolve: (_, args, ctx) => listChanges(ctx, args),
  }),
}));
