// What clients can follow, as server-sent events. Each event is made for the caller as he is then.
import { followFlags, followMenus, followStatements } from '../resolvers/index.js';
import { readers, Statement } from './bank-statement.js';
import { builder } from './builder.js';
import { Flag } from './flag.js';
import { Menu } from './menu.js';

builder.subscriptionFields((t) => ({
  menuChanged: t.field({
    type: Menu,
    access: 'public',
    description:
      'A menu that was saved or edited, in whatever locale; without keys, any menu. A deleted one tells nothing.',
    args: { keys: t.arg.stringList({ description: 'Of the menus to follow; left out: all.' }) },
    subscribe: (_, { keys }, ctx) => followMenus(ctx, keys),
    resolve: ({ value }) => value,
  }),
  statementReady: t.field({
    type: Statement,
    access: readers,
    description:
      'A day of the account that was closed or restated, or edited since, by itself or with its account. A foreign account looks like a missing one: it tells nothing.',
    args: { account: t.arg.string({ required: true, description: 'Its number.' }) },
    subscribe: (_, { account }, ctx) => followStatements(ctx, account),
    resolve: ({ value }) => value,
  }),
  flagsChanged: t.field({
    type: Flag,
    access: 'public',
    description:
      'A flag that was saved, switched or edited, told to whoever may evaluate it (public environments: anybody; others: flags:evaluate). What it says beyond that takes flags:read. An archived one tells nothing.',
    args: { environment: t.arg.string({ required: true, description: 'Its key.' }) },
    subscribe: (_, { environment }, ctx) => followFlags(ctx, environment),
    resolve: ({ value }) => value,
  }),
}));
