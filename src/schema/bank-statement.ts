// Accounts, statements and transactions, as clients see them.
import {
  type Account as AccountShape,
  closeBusinessDay,
  Forbidden,
  formatDecimal,
  globalId,
  listAccounts,
  listTransactions,
  openAccount,
  postTransactions,
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
import { connectionType } from './connection.js';
import { resultOf, settled } from './errors.js';
import { Node, nodeReader } from './node.js';
import { WriteOptions, WriteReceipt } from './write.js';

interface MoneyShape {
  readonly minor: string;
  readonly currency: string;
}

const Money = builder.objectRef<MoneyShape>('Money').implement({
  access: 'inherited',
  description: 'An exact amount.',
  fields: (t) => ({
    minor: t.expose('minor', { type: 'BigInt', description: 'In minor units of the currency.' }),
    currency: t.exposeString('currency', { description: 'ISO 4217.' }),
    decimal: t.string({ resolve: ({ minor, currency }) => formatDecimal(BigInt(minor), currency) }),
  }),
});

const DayStatus = builder.enumType('DayStatus', { values: ['OPEN', 'CLOSED', 'RESTATED'] as const });

const Transaction = builder.objectRef<TransactionShape>('Transaction').implement({
  access: 'inherited',
  description: 'A negative amount is a debit.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (line) => globalId('Transaction', transactionKey(line)) }),
    externalId: t.exposeString('externalId', { description: "The bank's own." }),
    bookedOn: t.field({ type: 'Date', resolve: ({ date }) => date }),
    amount: t.field({ type: Money, resolve: ({ minor, currency }) => ({ minor, currency }) }),
    balance: t.field({
      type: Money,
      nullable: true,
      description: 'As the bank listed it, if it did.',
      resolve: ({ balance, currency }) => (balance === null ? null : { minor: balance, currency }),
    }),
    description: t.exposeString('description'),
    kind: t.exposeString('kind', { nullable: true }),
  }),
});

const TransactionConnection = connectionType('Transaction', Transaction);

const Account = builder.objectRef<AccountShape>('Account');
export const Statement = builder.objectRef<StatementShape>('Statement');

const PAGE_SIZE = 50;

Account.implement({
  access: 'inherited',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: ({ value }) => globalId('Account', value.number) }),
    number: t.string({ resolve: ({ value }) => value.number }),
    holder: t.string({
      description: "A token's subject: its owner reads with statements:read.",
      resolve: ({ value }) => value.holder,
    }),
    currency: t.string({ resolve: ({ value }) => value.currency }),
    timeZone: t.string({ resolve: ({ value }) => value.timeZone }),
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
      args: { date: t.arg({ type: 'Date' }) },
      resolve: (account, { date }, ctx) => readStatementOf(ctx, account, date),
    }),
    transactions: t.field({
      type: TransactionConnection,
      description: 'Between two dates, both inclusive, in booking order; read from SQL.',
      args: {
        from: t.arg({ type: 'Date', required: true }),
        to: t.arg({ type: 'Date', required: true }),
        first: t.arg.int({ defaultValue: PAGE_SIZE }),
        after: t.arg.string(),
      },
      resolve: (account, args, ctx) => listTransactions(ctx, account, args),
    }),
    version: t.expose('version', { type: 'BigInt' }),
    asOf: t.expose('asOf', { type: 'DateTime', description: 'When this version was written.' }),
    stale: t.exposeBoolean('stale', { description: 'True only when neither store could vouch for it.' }),
  }),
});

Statement.implement({
  access: 'inherited',
  description: 'One business day of an account.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: ({ value }) => globalId('Statement', statementKey(value.account, value.date)) }),
    account: t.field({
      type: Account,
      resolve: async ({ value }, _, ctx) => {
        const account = await readAccount(ctx, value.account);
        if (!account) throw new Forbidden('You cannot read the account of this statement.', 'statements:read');
        return account;
      },
    }),
    date: t.field({ type: 'Date', resolve: ({ value }) => value.date }),
    status: t.field({ type: DayStatus, resolve: ({ value }) => value.status }),
    revision: t.int({ resolve: ({ value }) => value.revision }),
    opening: t.field({ type: Money, resolve: ({ value }) => ({ minor: value.opening, currency: value.currency }) }),
    closing: t.field({
      type: Money,
      description: 'opening + totalCredits − totalDebits, exactly.',
      resolve: ({ value }) => ({ minor: value.closing, currency: value.currency }),
    }),
    totalCredits: t.field({
      type: Money,
      resolve: ({ value }) => ({ minor: value.credits, currency: value.currency }),
    }),
    totalDebits: t.field({
      type: Money,
      description: 'A positive total.',
      resolve: ({ value }) => ({ minor: value.debits, currency: value.currency }),
    }),
    count: t.int({ description: 'Transactions on the day.', resolve: ({ value }) => value.count }),
    lines: t.field({
      type: TransactionConnection,
      description: 'In booking order.',
      args: { first: t.arg.int({ defaultValue: PAGE_SIZE }), after: t.arg.string() },
      resolve: (statement, args, ctx) => readLines(ctx, statement, args),
    }),
    version: t.expose('version', { type: 'BigInt' }),
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
    description: 'A foreign account looks like a missing one.',
    args: { number: t.arg.string({ required: true }) },
    resolve: (_, { number }, ctx) => readAccount(ctx, number),
  }),
  accounts: t.field({
    type: AccountConnection,
    access: readers,
    description: 'The accounts that the caller may read, by number; read from SQL.',
    args: { first: t.arg.int({ defaultValue: PAGE_SIZE }), after: t.arg.string() },
    resolve: (_, args, ctx) => listAccounts(ctx, args),
  }),
  statement: t.field({
    type: Statement,
    nullable: true,
    access: readers,
    description: 'date left out: the latest closed business day. A foreign account looks like a missing one.',
    args: { account: t.arg.string({ required: true }), date: t.arg({ type: 'Date' }) },
    resolve: (_, { account, date }, ctx) => readStatement(ctx, account, date),
  }),
}));

const TransactionInput = builder.inputType('TransactionInput', {
  fields: (t) => ({
    externalId: t.string({ required: true, description: 'Unique within the account.' }),
    minor: t.field({ type: 'BigInt', required: true, description: 'In minor units; negative for a debit.' }),
    description: t.string({ required: true }),
    kind: t.string(),
  }),
});

const OpenAccountPayload = builder.objectRef<Awaited<ReturnType<typeof openAccount>>>('OpenAccountPayload').implement({
  access: 'inherited',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt }),
    account: t.expose('account', { type: Account }),
  }),
});
const PostTransactionsPayload = builder
  .objectRef<Awaited<ReturnType<typeof postTransactions>>>('PostTransactionsPayload')
  .implement({
    access: 'inherited',
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt }),
      statement: t.expose('statement', { type: Statement }),
      posted: t.exposeInt('posted'),
      unchanged: t.exposeInt('unchanged', { description: 'Lines that were booked before, with the same content.' }),
    }),
  });
const CloseBusinessDayPayload = builder
  .objectRef<Awaited<ReturnType<typeof closeBusinessDay>>>('CloseBusinessDayPayload')
  .implement({
    access: 'inherited',
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt }),
      statement: t.expose('statement', { type: Statement }),
    }),
  });

builder.mutationFields((t) => ({
  openAccount: t.field({
    type: resultOf(OpenAccountPayload),
    access: 'statements:write',
    args: {
      number: t.arg.string({ required: true }),
      holder: t.arg.string({ required: true }),
      currency: t.arg.string({ required: true, description: 'ISO 4217.' }),
      timeZone: t.arg.string({ required: true, description: 'Such as America/Sao_Paulo.' }),
      opening: t.arg({
        type: 'BigInt',
        defaultValue: 0n,
        description: 'Balance before the first day, in minor units.',
      }),
      options: t.arg({ type: WriteOptions }),
    },
    resolve: (_, { options, ...input }, ctx) => settled(openAccount(ctx, input, options)),
  }),
  postTransactions: t.field({
    type: resultOf(PostTransactionsPayload),
    access: 'statements:write',
    description: 'Books transactions on an open day, all or none. The receipt has the version of the statement.',
    args: {
      account: t.arg.string({ required: true }),
      date: t.arg({ type: 'Date', required: true }),
      lines: t.arg({ type: [TransactionInput], required: true }),
      options: t.arg({ type: WriteOptions }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(postTransactions(ctx, args, options)),
  }),
  closeBusinessDay: t.field({
    type: resultOf(CloseBusinessDayPayload),
    access: 'statements:write',
    description: 'Closes a day for good. `closing`, where given, must be what the day adds up to, in minor units.',
    args: {
      account: t.arg.string({ required: true }),
      date: t.arg({ type: 'Date', required: true }),
      closing: t.arg({ type: 'BigInt' }),
      options: t.arg({ type: WriteOptions }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(closeBusinessDay(ctx, args, options)),
  }),
}));
