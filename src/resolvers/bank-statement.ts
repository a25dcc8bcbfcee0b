// Statements as of the day before: accounts, their closed days and the transactions on them. Who may read an account
// is decided here and nowhere else; to everybody else it looks missing.
import type { ListView, Present, Rows, TextView } from '../cache/index.js';
import {
  findAccountNumbers,
  findTransactions,
  loadAccounts,
  loadStatementLines,
  loadStatements,
  type Query,
} from '../db/index.js';
import { requireDate } from './business-date.js';
import { type Context, hasScope } from './context.js';
import { type Connection, connectionOf, KeysetEdge, openCursor, pageSize } from './cursor.js';
import { Invalid } from './errors.js';
import type { Maybe, PageArgs } from './input.js';
import { Lasting } from './lasting.js';

export interface AccountDocument {
  readonly number: string;
  /** A token's subject. */
  readonly holder: string;
  readonly currency: string;
  readonly timeZone: string;
  /** The last day that is closed. */
  readonly latestBusinessDate: string | null;
}

export interface StatementDocument {
  readonly account: string;
  readonly currency: string;
  readonly date: string;
  readonly status: 'OPEN' | 'CLOSED' | 'RESTATED';
  readonly revision: number;
  /** Minor units as decimal strings. */
  readonly opening: string;
  readonly credits: string;
  readonly debits: string;
  readonly closing: string;
  readonly count: number;
}

export interface StatementLine {
  readonly externalId: string;
  readonly position: number;
  readonly minor: string;
  readonly balance: string | null;
  readonly description: string;
  readonly kind: string | null;
}

/** Longest account number. */
export const MAX_NUMBER = 64;

/** Whether an account may be asked for by this number; Postgres takes no NUL. */
export const isAskable = (number: string): boolean => number.length <= MAX_NUMBER && !number.includes('\0');

const HOUR_MS = 3_600_000;

export const accountView: TextView<Query, AccountDocument> = {
  name: 'account',
  format: 1,
  shape: 'text',
  mode: 'strict',
  ttlMs: HOUR_MS,
  load: loadAccounts,
  decode: (json) => JSON.parse(json) as AccountDocument,
};

export const statementView: TextView<Query, StatementDocument> = {
  name: 'statement',
  format: 1,
  shape: 'text',
  mode: 'strict',
  ttlMs: 24 * HOUR_MS,
  load: loadStatements,
  decode: (json) => JSON.parse(json) as StatementDocument,
};

export const statementLinesView: ListView<Query, StatementLine> = {
  name: 'statement-lines',
  format: 1,
  shape: 'list',
  mode: 'strict',
  ttlMs: 24 * HOUR_MS,
  load: loadStatementLines,
  decodeMember: (json) => JSON.parse(json) as StatementLine,
};

export type Account = Present<AccountDocument>;
export type Statement = Present<StatementDocument>;

/** A transaction with the day and revision that it is booked on. */
export interface Transaction extends StatementLine {
  readonly account: string;
  readonly currency: string;
  readonly date: string;
  readonly revision: number;
}

/** The account, if the caller may read it. */
export async function readAccount(ctx: Context, number: string): Promise<Account | null> {
  if (!isAskable(number)) return null;
  const account = await ctx.cache.read(accountView, number);
  return account.kind === 'present' && mayRead(ctx, account.value) ? account : null;
}

/** The accounts that the caller may read, by number. */
export async function listAccounts(ctx: Context, { first, after }: PageArgs): Promise<Connection<Account>> {
  const { cursorKey } = ctx.services;
  const size = pageSize(first);
  const { query, holder } = readerOf(ctx);
  const question = ['accounts', holder ?? null];
  const [from] = after ? openCursor(cursorKey, question, after) : [];
  const found = await ctx.cache.bypassing('account', 'accounts', () =>
    findAccountNumbers(query, holder, from === undefined ? undefined : String(from), size + 1),
  );
  const numbers = found.slice(0, size);
  const accounts = await Promise.all(numbers.map((number) => readAccount(ctx, number)));
  const edges = numbers.flatMap((number, at) => {
    const account = accounts[at];
    return account ? [new KeysetEdge(account, cursorKey, question, [number])] : [];
  });
  return connectionOf(edges, found.length > size, after);
}

/** The account's statement of `date`, or of its latest closed day. An open day only shows to who may see intraday data. */
export async function readStatement(ctx: Context, number: string, date?: Maybe<string>): Promise<Statement | null> {
  const account = await readAccount(ctx, number);
  return account && readStatementOf(ctx, account, date);
}

/** The same for an account that was read before. */
export async function readStatementOf(ctx: Context, account: Account, date?: Maybe<string>): Promise<Statement | null> {
  const day = date === null || date === undefined ? account.value.latestBusinessDate : requireDate(date, ['date']);
  if (day === null) return null;
  const statement = await ctx.cache.read(statementView, statementKey(account.value.number, day));
  if (statement.kind === 'absent') return null;
  return statement.value.status !== 'OPEN' || hasScope(ctx, 'statements:intraday') ? statement : null;
}

/** A page of a statement's transactions, in booking order. */
export async function readLines(
  ctx: Context,
  { value: statement }: Statement,
  { first, after }: PageArgs,
): Promise<Connection<Transaction>> {
  const { cursorKey } = ctx.services;
  const size = pageSize(first);
  const key = linesKey(statement);
  const question = ['lines', key];
  const [position] = after ? openCursor(cursorKey, question, after) : [];
  // Positions count from 1 without gaps, so the row after position n has index n.
  const from = Number(position ?? 0);
  const rows = await ctx.cache.readRows(statementLinesView, key, { first: from, last: from + size });
  const { account, currency, date, revision } = statement;
  const page = () => {
    const edges = rows.members.slice(0, size).map((line) => {
      const { externalId, position, minor, balance, description, kind } = line;
      const node = { externalId, position, minor, balance, description, kind, account, currency, date, revision };
      return new KeysetEdge(node, cursorKey, question, [position]);
    });
    return connectionOf(edges, rows.members.length > size, after);
  };
  return pages.of(rows, `${from} ${size} ${after ?? null} ${currency}`, page);
}

const pages = new Lasting<Rows<StatementLine>, Connection<Transaction>>();

/** A page of an account's transactions between two dates, both inclusive, in booking order. */
export async function listTransactions(
  ctx: Context,
  { value: account }: Account,
  args: PageArgs & { from: string; to: string },
): Promise<Connection<Transaction>> {
  const { cursorKey } = ctx.services;
  const size = pageSize(args.first);
  const { query, holder } = readerOf(ctx);
  const from = requireDate(args.from, ['from']);
  const to = requireDate(args.to, ['to']);
  if (from > to) throw new Invalid(`The range ends before it begins: ${from} is after ${to}.`, { path: ['to'] });
  const open = hasScope(ctx, 'statements:intraday');
  const question = ['transactions', account.number, from, to, open];
  const [date, position] = args.after ? openCursor(cursorKey, question, args.after) : [];
  const last = date === undefined ? undefined : { date: String(date), position: Number(position) };
  const range = { number: account.number, holder, from, to, open };
  const found = await ctx.cache.bypassing('statement-lines', `${account.number}/${from}..${to}`, () =>
    findTransactions(query, range, last, size + 1),
  );
  const edges = found.slice(0, size).map((row) => {
    const node = { ...row, account: account.number, currency: account.currency };
    return new KeysetEdge(node, cursorKey, question, [row.date, row.position]);
  });
  return connectionOf(edges, found.length > size, args.after);
}

/** One transaction by day, revision and position, if the caller may read its account. */
export async function readTransaction(ctx: Context, key: string): Promise<Transaction | null> {
  const [, number, date, revision, position] = /^(.*)\/(\d{4}-\d\d-\d\d):(\d{1,9}):(\d{1,9})$/s.exec(key) ?? [];
  if (number === undefined || date === undefined) return null;
  const statement = await readStatement(ctx, number, date);
  if (statement?.value.revision !== Number(revision)) return null;
  const row = Number(position) - 1;
  if (row < 0) return null;
  const { members } = await ctx.cache.readRows(statementLinesView, linesKey(statement.value), {
    first: row,
    last: row,
  });
  const [line] = members;
  const { account, currency } = statement.value;
  return line ? { ...line, account, currency, date, revision: Number(revision) } : null;
}

export const statementKey = (number: string, date: string): string => `${number}/${date}`;

export const transactionKey = ({ account, date, revision, position }: Transaction): string =>
  `${account}/${date}:${revision}:${position}`;

const linesKey = ({ account, date, revision }: StatementDocument): string => `${account}/${date}:${revision}`;

/** Whose accounts the caller may see, and a way to ask that shows no others, whatever is asked. */
function readerOf(ctx: Context) {
  const { queryAs } = ctx.services;
  if (hasScope(ctx, 'statements:read-any')) return { query: queryAs('any'), holder: undefined };
  const holder = ctx.viewer.subject ?? '';
  return { query: queryAs({ holder }), holder };
}

function mayRead(ctx: Context, account: AccountDocument): boolean {
  if (hasScope(ctx, 'statements:read-any')) return true;
  return hasScope(ctx, 'statements:read') && account.holder === ctx.viewer.subject;
}
