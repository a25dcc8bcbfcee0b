// Reads delimited statements of banks that have no standard for them: the header tells the columns, the values the order
// of day and month and the decimal separator. What stays open after that is refused, not guessed.

import { isCurrency } from '../money.js';
import { type CsvLayout, csvLayoutOf, currencyIn } from './csv-columns.js';
import { type CsvStyle, cellOf, csvEntry, csvStyleOf, descriptionOf } from './csv-entry.js';
import { CsvReader, type CsvRow } from './csv-rows.js';
import {
  accountNumberOf,
  type Decoded,
  type DecodedEntry,
  type EntryFault,
  isBalanceLine,
  requireEntries,
} from './decoded-statement.js';

export interface CsvOptions {
  /** For files that name none; without it they are refused. */
  readonly currency?: string | undefined;
  readonly account?: string | undefined;
}

/** The statements of delimited text, one for each account; `head` is how it begins. @throws {StatementFault} where it is none. */
export async function* decodeCsv(
  chunks: AsyncIterable<string> | Iterable<string>,
  head: string,
  options: CsvOptions,
): AsyncGenerator<Decoded> {
  const layout = csvLayoutOf(head.replace(/^\uFEFF/, ''));
  if (layout === undefined) {
    yield { kind: 'refused', line: 1, reason: 'No row of the file names columns for a date and an amount.' };
    return;
  }
  const rows: CsvRow[] = [];
  const reader = new CsvReader(layout.delimiter);
  const keep = (read: readonly CsvRow[]) => {
    for (const row of read) {
      if (row.line > layout.line && row.cells.some((cell) => cell !== '')) requireEntries(rows.push(row), row.line);
    }
  };
  for await (const chunk of chunks) keep(reader.push(chunk));
  keep(reader.end());
  const style = csvStyleOf(layout, rows);
  if (typeof style === 'string') {
    yield { kind: 'refused', line: layout.line, reason: style, records: Math.max(1, rows.length) };
    return;
  }
  const accounts = new Map<string, CsvRow[]>();
  const lastDated = rows.findLast((row) => /\d/.test(cellOf(layout, row, 'date')))?.line ?? 0;
  for (const row of rows) {
    const reason = row.line > lastDated ? below : notAnEntry(layout, row);
    if (reason !== undefined) {
      yield { kind: 'refused', line: row.line, reason };
      continue;
    }
    const account = cellOf(layout, row, 'account');
    const same = accounts.get(account);
    if (same) same.push(row);
    else accounts.set(account, [row]);
  }
  if (rows.length === 0) {
    yield { kind: 'refused', line: layout.line, reason: 'No row stands below the header.' };
  }
  for (const [account, own] of accounts) yield statementOf(layout, style, account, own, options);
}

/** What banks call an entry that is still to come, or never came. */
const unbooked =
  /\b(?:pending|reverted|declined|failed|cancell?ed|vorgemerkt|pendente|agendad[oa]|cancelad[oa]|pendiente)\b/i;

const below = 'The row has no date and stands below the last entry, as totals do; it is left out.';

/** Why a row is left out without harm to its day: it lists a balance or a total, or says neither day nor amount. */
function notAnEntry(layout: CsvLayout, row: CsvRow): string | undefined {
  const description = descriptionOf(layout, row);
  const told = [description, ...row.cells.slice(0, 2)].find(
    (text) => isBalanceLine(text) || /^(?:sub)?tota(?:l|is)\b|^summe\b/i.test(text),
  );
  if (told !== undefined) return `"${told.slice(0, 40)}" lists a balance and moves nothing; it is left out.`;
  const state = cellOf(layout, row, 'state');
  if (unbooked.test(state)) return `The entry is not booked: its state is "${state.slice(0, 40)}"; it is left out.`;
  const amounts = (['amount', 'debit', 'credit'] as const).map((role) => cellOf(layout, row, role));
  if (amounts.some((cell) => cell !== '') || /\d/.test(cellOf(layout, row, 'date'))) return undefined;
  return 'The row has neither a date nor an amount; it is left out.';
}

function statementOf(
  layout: CsvLayout,
  style: CsvStyle,
  cell: string,
  rows: readonly CsvRow[],
  options: CsvOptions,
): Decoded {
  const line = rows[0]?.line ?? layout.line;
  const records = Math.max(1, rows.length);
  const refused = (reason: string): Decoded => ({ kind: 'refused', line, reason, records });
  const named = cell || layout.account || options.account;
  if (named === undefined) return refused('The file names no account; give its number with --account.');
  const account = accountNumberOf(named);
  if (account === undefined)
    return refused(`"${named.slice(0, 40)}" is no account number of 64 letters and digits at most.`);
  const [own, other] = new Set(rows.flatMap((row) => currencyOfRow(layout, row) ?? []));
  if (other !== undefined)
    return refused(`Account ${account} has amounts in ${own} and ${other}; an account has one currency.`);
  const currency = own ?? layout.currency ?? options.currency;
  if (currency === undefined) return refused('The file names no currency; give it with --currency.');
  if (!isCurrency(currency)) return refused(`"${currency.slice(0, 10)}" is no ISO 4217 currency.`);
  const entries: DecodedEntry[] = [];
  const faults: EntryFault[] = [];
  for (const row of rows) {
    const read = csvEntry(layout, style, row, currency);
    if ('reason' in read) faults.push(read);
    else entries.push(read);
  }
  const sorted = inBookingOrder(entries);
  if (typeof sorted === 'string') return refused(sorted);
  const listed = sorted.find(({ balance }) => balance !== null);
  const [first, last] = [sorted[0], sorted.at(-1)];
  const base = { kind: 'statement', line, account, currency, entries: sorted, faults } as const;
  if (!first || !last || listed?.balance === undefined || listed.balance === null || faults.length > 0) return base;
  // The first balance listed less what was booked up to it.
  const until = sorted.slice(0, sorted.indexOf(listed) + 1);
  const opens = until.reduce((minor, entry) => minor - entry.minor, listed.balance);
  const closes = sorted.reduce((minor, entry) => minor + entry.minor, opens);
  return {
    ...base,
    opening: { line, minor: opens, date: first.date },
    closing: { line, minor: closes, date: last.date },
  };
}

/**
 * The entries from the earliest on, whichever way the file lists them: in the order in which its balances follow from
 * one another. A sentence when they do in neither.
 */
function inBookingOrder(entries: readonly DecodedEntry[]): readonly DecodedEntry[] | string {
  const [first, last] = [entries[0], entries.at(-1)];
  const reversed = entries.toReversed();
  const orders = first && last && first.date > last.date ? [reversed, entries] : [entries, reversed];
  const sorted = orders.map((order) => order.toSorted((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0)));
  const wrong = sorted.map(firstWrongBalance);
  const right = sorted[wrong.indexOf(undefined)];
  if (right !== undefined) return right;
  return `The balance on line ${wrong[0]?.line} does not follow from the balances and amounts before it; nothing is imported.`;
}

function firstWrongBalance(entries: readonly DecodedEntry[]): DecodedEntry | undefined {
  let expected: bigint | undefined;
  return entries.find(({ minor, balance }) => {
    if (expected !== undefined) expected += minor;
    if (balance === null) return false;
    const isWrong = expected !== undefined && expected !== balance;
    expected = balance;
    return isWrong;
  });
}

function currencyOfRow(layout: CsvLayout, row: CsvRow): string | undefined {
  const named = cellOf(layout, row, 'currency');
  if (named !== '') return currencyIn(named) ?? named.toUpperCase();
  const amounts = (['amount', 'debit', 'credit'] as const).map((role) => cellOf(layout, row, role)).join(' ');
  return currencyIn(amounts);
}
