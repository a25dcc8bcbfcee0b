// Writing accounts and their days, as clients see it.
import { closeBusinessDay, openAccount, postTransactions, restateBusinessDay } from '../resolvers/index.js';
import { Account, Statement } from './bank-statement.js';
import { builder } from './builder.js';
import { resultOf, settled } from './errors.js';
import { WriteOptions, WriteReceipt } from './write.js';

const RECEIPT = 'Its version is that of the statement.';
const OPTIONS = 'expectedVersion is that of the statement.';

const TransactionInput = builder.inputType('TransactionInput', {
  description: 'A transaction to be booked.',
  fields: (t) => ({
    externalId: t.string({
      required: true,
      description: 'Its name, of 1 to 255 characters, unique within the account.',
    }),
    minor: t.field({ type: 'BigInt', required: true, description: 'In minor units; negative for a debit.' }),
    description: t.string({ required: true, description: 'What a customer reads; 500 characters at most.' }),
    kind: t.string({ description: 'Such as PIX or FEE, as the bank has it; 100 characters at most.' }),
  }),
});

const OpenAccountPayload = builder.objectRef<Awaited<ReturnType<typeof openAccount>>>('OpenAccountPayload').implement({
  access: 'inherited',
  description: 'An account that was opened.',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt, description: 'Its version is that of the account.' }),
    account: t.expose('account', { type: Account, description: 'The account.' }),
  }),
});

const PostTransactionsPayload = builder
  .objectRef<Awaited<ReturnType<typeof postTransactions>>>('PostTransactionsPayload')
  .implement({
    access: 'inherited',
    description: 'Transactions that were booked.',
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt, description: RECEIPT }),
      statement: t.expose('statement', { type: Statement, description: 'The day with them.' }),
      posted: t.exposeInt('posted', { description: 'Lines that are booked since.' }),
      unchanged: t.exposeInt('unchanged', { description: 'Lines that were booked before, with the same content.' }),
    }),
  });

const CloseBusinessDayPayload = builder
  .objectRef<Awaited<ReturnType<typeof closeBusinessDay>>>('CloseBusinessDayPayload')
  .implement({
    access: 'inherited',
    description: 'A day that was closed.',
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt, description: RECEIPT }),
      statement: t.expose('statement', { type: Statement, description: 'The closed day.' }),
    }),
  });

const RestateBusinessDayPayload = builder
  .objectRef<Awaited<ReturnType<typeof restateBusinessDay>>>('RestateBusinessDayPayload')
  .implement({
    access: 'inherited',
    description: 'A closed day that was given another revision.',
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt, description: RECEIPT }),
      statement: t.expose('statement', { type: Statement, description: 'The new revision.' }),
    }),
  });

builder.mutationFields((t) => ({
  openAccount: t.field({
    type: resultOf(OpenAccountPayload),
    access: 'statements:write',
    description: 'Opens an account with the balance that it has before its first business day.',
    args: {
      number: t.arg.string({
        required: true,
        description: 'Letters, digits and . _ -, 64 at most; unique among all accounts.',
      }),
      holder: t.arg.string({ required: true, description: "Whose it is: the subject of its owner's tokens." }),
      currency: t.arg.string({ required: true, description: 'ISO 4217.' }),
      timeZone: t.arg.string({
        required: true,
        description: 'In which its business days are days, such as America/Sao_Paulo.',
      }),
      opening: t.arg({
        type: 'BigInt',
        defaultValue: 0n,
        description: 'Balance before the first day, in minor units.',
      }),
      options: t.arg({ type: WriteOptions, description: 'expectedVersion is that of the account.' }),
    },
    resolve: (_, { options, ...input }, ctx) => settled(openAccount(ctx, input, options)),
  }),
  postTransactions: t.field({
    type: resultOf(PostTransactionsPayload),
    access: 'statements:write',
    description: 'Books transactions on an open day, all or none. The first ones on a date open it.',
    args: {
      account: t.arg.string({ required: true, description: 'Its number.' }),
      date: t.arg({
        type: 'Date',
        required: true,
        description: 'Up to today, as the account has it, and after the last closed day.',
      }),
      lines: t.arg({
        type: [TransactionInput],
        required: true,
        description: '1 to 1,000, in booking order; bring more in by `espelho import statements`.',
      }),
      options: t.arg({ type: WriteOptions, description: OPTIONS }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(postTransactions(ctx, args, options)),
  }),
  closeBusinessDay: t.field({
    type: resultOf(CloseBusinessDayPayload),
    access: 'statements:write',
    description: 'Closes a day: from then on it changes only by being restated, and may be the latest one.',
    args: {
      account: t.arg.string({ required: true, description: 'Its number.' }),
      date: t.arg({ type: 'Date', required: true, description: 'The day; one without transactions is closed empty.' }),
      closing: t.arg({
        type: 'BigInt',
        description: 'What the day must add up to, in minor units, or it is not closed; left out: whatever it does.',
      }),
      options: t.arg({ type: WriteOptions, description: OPTIONS }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(closeBusinessDay(ctx, args, options)),
  }),
  restateBusinessDay: t.field({
    type: resultOf(RestateBusinessDayPayload),
    access: 'statements:write',
    description:
      'Gives a closed day other transactions, as its next revision. Its opening stays; where its closing changes, the days after it that opened with that are carried on, closed ones as revisions of their own.',
    args: {
      account: t.arg.string({ required: true, description: 'Its number.' }),
      date: t.arg({ type: 'Date', required: true, description: 'A day that is closed, or was restated before.' }),
      lines: t.arg({
        type: [TransactionInput],
        required: true,
        description: 'All transactions that the day has from then on, in booking order: at most 1,000, none perhaps.',
      }),
      options: t.arg({ type: WriteOptions, description: OPTIONS }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(restateBusinessDay(ctx, args, options)),
  }),
}));
