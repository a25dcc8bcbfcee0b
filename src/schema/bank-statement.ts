// Accounts, statements and transactions, as clients see them.
import {
  type Account as AccountShape,
  Forbidden,
  formatDecimal,
  globalId,
  listAccounts,
  listTransactions,
  readAccount,
  readLines,
  readStatement,
  readStatementOf,
  readTransaction,
  type Statement as StatementShape,
  statementKey,
  type Transaction as TransactionShape,
  transactionKey,
} from '../resolvers/index.js';
import { builder } from './builder.js';
import { connectionType, pageArgs } from './connection.js';
import { Node, nodeReader } from './node.js';

interface MoneyShape {
  readonly minor: string;
  readonly currency: string;
}

const Money = builder.objectRef<MoneyShape>('Money').implement({
  access: 'inherited',
  extensions: { follows: true },
  description: 'An exact amount.',
  fields: (t) => ({
    minor: t.expose('minor', { type: 'BigInt', description: 'In minor units of the currency.' }),
    currency: t.exposeString('currency', { description: 'ISO 4217.' }),
    decimal: t.string({
      description: 'With the decimals of the currency, such as 12.50.',
      resolve: ({ minor, currency }) => formatDecimal(BigInt(minor), currency),
    }),
  }),
});

const DayStatus = builder.enumType('DayStatus', {
  description: 'What has become of a business day.',
  values: {
    OPEN: { description: 'Transactions may still come; it shows with statements:intraday only.' },
    CLOSED: { description: 'Immutable: its balances add up.' },
    RESTATED: { description: 'Closed, and given other transactions or balances since, as another revision.' },
  } as const,
});

const Transaction = builder.objectRef<TransactionShape>('Transaction').implement({
  access: 'inherited',
  extensions: { follows: true },
  description: 'A negative amount is a debit.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({
      description: 'Its global id; another revision of its day has others.',
      resolve: (line) => globalId('Transaction', transactionKey(line)),
    }),
    externalId: t.exposeString('externalId', { description: "The bank's own." }),
    bookedOn: t.field({ type: 'Date', description: 'The business day.', resolve: ({ date }) => date }),
    amount: t.field({
      type: Money,
      description: 'Negative for a debit.',
      resolve: ({ minor, currency }) => ({ minor, currency }),
    }),
    balance: t.field({
      type: Money,
      nullable: true,
      description: 'As the bank listed it, if it did.',
      resolve: ({ balance, currency }) => (balance === null ? null : { minor: balance, currency }),
    }),
    description: t.exposeString('description', { description: 'What a customer reads.' }),
    kind: t.exposeString('kind', { nullable: true, description: 'As the bank has it, such as PIX or FEE.' }),
  }),
});

const TransactionConnection = connectionType('Transaction', Transaction);

export const Account = builder.objectRef<AccountShape>('Account');
export const Statement = builder.objectRef<StatementShape>('Statement');

Account.implement({
  access: 'inherited',
  description: 'A bank account, for its holder (statements:read) and for statements:read-any.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ description: 'Its global id.', resolve: ({ value }) => globalId('Account', value.number) }),
    number: t.string({ description: 'Unique among all accounts.', resolve: ({ value }) => value.number }),
    holder: t.string({
      description: "A token's subject: its owner reads with statements:read.",
      resolve: ({ value }) => value.holder,
    }),
    currency: t.string({ description: 'ISO 4217.', resolve: ({ value }) => value.currency }),
    timeZone: t.string({ description: 'In which its business days are days.', resolve: ({ value }) => value.timeZone }),
    latestBusinessDate: t.field({
      type: 'Date',
      nullable: true,
      description: 'The last closed day.',
      resolve: ({ value }) => value.latestBusinessDate,
    }),
    statement: t.field({
      type: Statement,
      nullable: true,
      description: 'Of `date`, or of the latest closed day.',
      args: { date: t.arg({ type: 'Date', description: 'Left out: the latest closed business day.' }) },
      resolve: (account, { date }, ctx) => readStatementOf(ctx, account, date),
    }),
    transactions: t.field({
      type: TransactionConnection,
      description:
        'Between two dates, both inclusive, in booking order; read from SQL. Of each day its latest revision; of open days only with statements:intraday.',
      args: {
        from: t.arg({ type: 'Date', required: true, description: 'The first day.' }),
        to: t.arg({ type: 'Date', required: true, description: 'The last day.' }),
        ...pageArgs,
      },
      resolve: (account, args, ctx) => listTransactions(ctx, account, args),
    }),
    version: t.expose('version', { type: 'BigInt', description: 'For expectedVersion.' }),
    asOf: t.expose('asOf', { type: 'DateTime', description: 'When this version was written.' }),
    stale: t.exposeBoolean('stale', { description: 'True only when neither store could vouch for it.' }),
  }),
});

Statement.implement({
  access: 'inherited',
  description: 'One business day of an account.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({
      description: 'Its global id, the same for all revisions.',
      resolve: ({ value }) => globalId('Statement', statementKey(value.account, value.date)),
    }),
    account: t.field({
      type: Account,
      description: 'Whose day it is.',
      resolve: async ({ value }, _, ctx) => {
        const account = await readAccount(ctx, value.account);
        if (!account) throw new Forbidden('You cannot read the account of this statement.', 'statements:read');
        return account;
      },
    }),
    date: t.field({ type: 'Date', description: 'The business day.', resolve: ({ value }) => value.date }),
    status: t.field({ type: DayStatus, description: 'What has become of it.', resolve: ({ value }) => value.status }),
    revision: t.int({ description: '1 at first; each restating adds one.', resolve: ({ value }) => value.revision }),
    opening: t.field({
      type: Money,
      description: 'The balance that the day begins with.',
      resolve: ({ value }) => ({ minor: value.opening, currency: value.currency }),
    }),
    closing: t.field({
      type: Money,
      description: 'opening + totalCredits − totalDebits, exactly.',
      resolve: ({ value }) => ({ minor: value.closing, currency: value.currency }),
    }),
    totalCredits: t.field({
      type: Money,
      description: 'The sum of the positive amounts.',
      resolve: ({ value }) => ({ minor: value.credits, currency: value.currency }),
    }),
    totalDebits: t.field({
      type: Money,
      description: 'The sum of the negative amounts, as a positive number.',
      resolve: ({ value }) => ({ minor: value.debits, currency: value.currency }),
    }),
    count: t.int({ description: 'Transactions on the day.', resolve: ({ value }) => value.count }),
    lines: t.field({
      type: TransactionConnection,
      extensions: { lasting: true },
      description: 'In booking order.',
      args: pageArgs,
      resolve: (statement, args, ctx) => readLines(ctx, statement, args),
    }),
    version: t.expose('version', { type: 'BigInt', description: 'For expectedVersion.' }),
    asOf: t.expose('asOf', { type: 'DateTime', description: 'When this version was written.' }),
    stale: t.exposeBoolean('stale', { description: 'True only when neither store could vouch for it.' }),
  }),
});

nodeReader('Account', readAccount);
nodeReader('Statement', (ctx, key) => {
  const [, number = '', date = ''] = /^(.*)\/(\d{4}-\d\d-\d\d)$/s.exec(key) ?? [];
  return number === '' ? Promise.resolve(null) : readStatement(ctx, number, date);
});
nodeReader('Transaction', readTransaction);

const AccountConnection = connectionType('Account', Account);

/** Who may read statements at all. */
export const readers = ['statements:read', 'statements:read-any'] as const;

builder.queryFields((t) => ({
  account: t.field({
    type: Account,
    nullable: true,
    access: readers,
    description: 'An account. A foreign one looks like a missing one.',
    args: { number: t.arg.string({ required: true, description: 'Its number.' }) },
    resolve: (_, { number }, ctx) => readAccount(ctx, number),
  }),
  accounts: t.field({
    type: AccountConnection,
    access: readers,
    description: 'The accounts that the caller may read, by number; read from SQL.',
    args: pageArgs,
    resolve: (_, args, ctx) => listAccounts(ctx, args),
  }),
  statement: t.field({
    type: Statement,
    nullable: true,
    access: readers,
    description: 'One business day of an account. A foreign account looks like a missing one.',
    args: {
      account: t.arg.string({ required: true, description: 'Its number.' }),
      date: t.arg({ type: 'Date', description: 'Left out: the latest closed business day.' }),
    },
    resolve: (_, { account, date }, ctx) => readStatement(ctx, account, date),
  }),
}));
