// Reads the Berka files (a Czech bank's accounts and transactions, PKDD'99 Discovery Challenge, published by Petr Berka
// and Marta Sochorova) as accounts and statement days, in one pass over each file and in memory that does not grow with
// the number of days. What has no place in the result is refused by file and line, and the rest goes on.

import { exponentOf } from '../money.js';
import { addUpDay } from './berka-day.js';
import {
  accountRow,
  type BerkaKind,
  berkaKindOf,
  dispositionRow,
  placeOfTransaction,
  type TransactionRow,
  transactionRow,
} from './berka-rows.js';
import { type Progress, readLines } from './lines.js';
import type { DayRecord, StatementRecord, StatementTransaction } from './statement-record.js';

export interface BerkaOptions {
  /** What amounts are in; ISO 4217, CZK unless given. */
  readonly currency?: string;
  /** Whether the database has an account of this number. Asked once per account that the files do not give. */
  readonly knownAccounts?: (number: string) => boolean | Promise<boolean>;
  /**
   * What an account's first day in the files opens with: the stated closing of its last day before `date`, and before
   * its first day ever the account's own opening; 0 unless given. The answer must not depend on days from `date` on,
   * or importing a file twice would change something. Asked once per account, when its first row is met.
   */
  readonly openingOf?: (number: string, date: string) => bigint | Promise<bigint>;
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * The accounts of `files`, then their statement days, and among them what is refused and why.
 *
 * Files are told apart by their first line and may come in any order. `account.asc` and `disp.asc` make accounts (the
 * holder is the client whose right is of type OWNER) and need each other; `trans.asc` makes days, with accounts from
 * the same reading or already known. Files without a place, such as standing orders, are refused as a whole.
 *
 * A day is handed on once a later date of its account is met, or at the end, so that one day per account is held;
 * several transaction files are read by their first date and continue one another. A row dated before the day its
 * account has come to is refused, not sorted in: the day it belongs to has been handed on by then. How a day adds up,
 * `addUpDay` says; one that lacks a row because it could not be read stays OPEN whatever it adds up to.
 * @throws {InvalidMoney} when the currency is unknown.
 */
export async function* readBerka(
  files: readonly string[],
  options: BerkaOptions = {},
): AsyncGenerator<StatementRecord> {
  const currency = options.currency ?? 'CZK';
  exponentOf(currency);
  const found: Record<BerkaKind, Probe[]> = { account: [], disp: [], trans: [] };
  for (const file of files) {
    const probe = await probed(file);
    if (probe.kind === 'refused') yield { kind: 'refused', file, line: probe.line, reason: probe.reason };
    else found[probe.kind].push(probe);
  }
  found.trans.sort((a, b) => (a.firstDate < b.firstDate ? -1 : a.firstDate > b.firstDate ? 1 : 0));

  const accounts = new Set<string>();
  if (found.account.length > 0 && found.disp.length > 0) {
    const owners = new Map<string, string>();
    for (const { file } of found.disp) yield* readOwners(file, owners, options);
    for (const { file } of found.account) yield* readAccounts(file, owners, accounts, currency, options);
  } else {
    for (const { file } of found.disp) yield { kind: 'refused', file, line: 0, reason: dispAlone };
    for (const { file } of found.account) yield { kind: 'refused', file, line: 0, reason: accountAlone };
  }
  yield* readDays(found.trans, accounts, currency, options);
}

const dispAlone = 'The file says only who holds the accounts of account.asc; import both in one command.';
const accountAlone = 'The file does not say who holds its accounts; import it in one command with disp.asc.';

type Probe = { readonly kind: BerkaKind; readonly file: string; readonly firstDate: string };
type FailedProbe = { readonly kind: 'refused'; readonly line: number; readonly reason: string };

/** What kind of file it is, and for transactions the date that they begin with as it is written. */
async function probed(file: string): Promise<Probe | FailedProbe> {
  let kind: BerkaKind | undefined;
  for await (const entry of readLines(file)) {
    if (kind !== undefined) {
      const firstDate = (entry.kind === 'line' && entry.text.split(';')[2]) || '';
      return { kind, file, firstDate };
    }
    if (entry.kind === 'refused') return entry;
    const header = berkaKindOf(entry.text);
    if (header.kind === 'refused') return { ...header, line: 1 };
    kind = header.kind;
  }
  if (kind !== undefined) return { kind, file, firstDate: '' };
  return { kind: 'refused', line: 0, reason: 'The file is empty; check that it was fetched whole.' };
}

async function* readOwners(
  file: string,
  owners: Map<string, string>,
  options: BerkaOptions,
): AsyncGenerator<StatementRecord> {
  for await (const row of readRows(file, dispositionRow, options)) {
    if (row.kind === 'refused') yield row;
    else if (row.value.role === 'OWNER') {
      const { account, client } = row.value;
      const other = owners.get(account);
      if (other === undefined) owners.set(account, client);
      else yield refused(file, row.line, `Account ${account} has its OWNER already, client ${other}; it can have one.`);
    }
  }
}

async function* readAccounts(
  file: string,
  owners: ReadonlyMap<string, string>,
  accounts: Set<string>,
  currency: string,
  options: BerkaOptions,
): AsyncGenerator<StatementRecord> {
  for await (const row of readRows(file, accountRow, options)) {
    if (row.kind === 'refused') {
      yield row;
      continue;
    }
    const { number } = row.value;
    const holder = owners.get(number);
    if (accounts.has(number)) yield refused(file, row.line, `Account ${number} is listed already; numbers are unique.`);
    else if (holder === undefined) {
      yield refused(file, row.line, `Account ${number} has no OWNER in disp.asc; every account needs a holder.`);
    } else {
      accounts.add(number);
      yield { kind: 'account', file, line: row.line, number, holder, currency, opening: 0n };
    }
  }
}

async function* readDays(
  probes: readonly Probe[],
  accounts: ReadonlySet<string>,
  currency: string,
  options: BerkaOptions,
): AsyncGenerator<StatementRecord> {
  const ledger = new Map<string, OpenDay | 'unknown'>();
  const seen = new Set<number>();
  const lacking = new Map<string, number>();
  const parse = (text: string): TransactionRow | string => transactionRow(text, currency);
  let lastDate = '';
  const onRefused = (line: number, text: string) => noteLack(lacking, line, text);
  // Rows come by date, so where a file breaks off it may lack rows of the day that it had come to, of any account.
  const onBroken = (line: number) => {
    for (const [account, day] of ledger) {
      if (day !== 'unknown' && day.date === lastDate) lacking.set(`${account}/${lastDate}`, line);
    }
  };
  for (const { file } of probes) {
    for await (const row of readRows(file, parse, options, onRefused, onBroken)) {
      if (row.kind === 'refused') {
        yield row;
        continue;
      }
      const { line, value } = row;
      const { account, date } = value;
      lastDate = date;
      const id = Number(value.externalId);
      if (seen.has(id)) {
        yield refused(file, line, `The trans_id ${id} stands on a row above already; ids are unique.`);
        continue;
      }
      let day = ledger.get(account);
      if (day === undefined) {
        const known = accounts.has(account) || (await options.knownAccounts?.(account)) === true;
        day = known ? openDay(file, line, value, (await options.openingOf?.(account, date)) ?? 0n) : 'unknown';
        ledger.set(account, day);
      }
      if (day === 'unknown') {
        yield refused(
          file,
          line,
          `Account ${account} is unknown; import account.asc and disp.asc with it or before it.`,
        );
      } else if (date < day.date) {
        yield refused(file, line, `The row is of ${date}, but account ${account} is at ${day.date} by now; ${inOrder}`);
      } else {
        seen.add(id);
        if (date > day.date) {
          const finished = finishedDay(account, day, currency, lacking);
          yield finished;
          day = openDay(file, line, value, finished.statedClosing ?? finished.closing);
          ledger.set(account, day);
        }
        day.transactions.push(transactionOf(line, value));
      }
    }
  }
  for (const [account, day] of ledger) {
    if (day !== 'unknown') yield finishedDay(account, day, currency, lacking);
  }
}

const inOrder = 'sort the rows by date and import the file again.';

/** The day that an account has come to. */
interface OpenDay {
  readonly file: string;
  readonly line: number;
  readonly date: string;
  readonly opening: bigint;
  readonly transactions: StatementTransaction[];
}

function openDay(file: string, line: number, { date }: TransactionRow, opening: bigint): OpenDay {
  return { file, line, date, opening, transactions: [] };
}

/** Notes by `account/date` the first row that could not be read, as far as its place can. */
function noteLack(lacking: Map<string, number>, line: number, text: string): void {
  const place = placeOfTransaction(text);
  const key = `${place?.account}/${place?.date}`;
  if (place && !lacking.has(key)) lacking.set(key, line);
}

function finishedDay(account: string, day: OpenDay, currency: string, lacking: Map<string, number>): DayRecord {
  const { file, line, date, opening, transactions } = day;
  const sums = addUpDay(opening, transactions, currency);
  const whole = { kind: 'day', file, line, account, currency, date, transactions, ...sums } as const;
  const lack = lacking.get(`${account}/${date}`);
  if (lack === undefined) return whole;
  const reason = `The day may lack rows from line ${lack} on, which could not be read; it stays OPEN until they are imported.`;
  return { ...whole, status: 'OPEN', because: 'incomplete', reason };
}

function transactionOf(line: number, row: TransactionRow): StatementTransaction {
  const { externalId, minor, description, kind, balance } = row;
  return { line, externalId, minor, description, kind, balance };
}

type Refused = Extract<StatementRecord, { kind: 'refused' }>;

/** The rows below the header as `parse` reads them; it returns a row, or a sentence that refuses it. */
async function* readRows<Row extends object>(
  file: string,
  parse: (text: string) => Row | string,
  { onProgress }: BerkaOptions,
  onRefused?: (line: number, text: string) => void,
  onBroken?: (line: number) => void,
): AsyncGenerator<{ kind: 'row'; line: number; value: Row } | Refused> {
  for await (const entry of readLines(file, onProgress ? { onProgress } : {})) {
    if (entry.kind === 'refused') {
      if (entry.breaksOff) onBroken?.(entry.line);
      yield refused(file, entry.line, entry.reason);
    } else if (entry.line > 1 && entry.text.trim() !== '') {
      const value = parse(entry.text);
      if (typeof value === 'string') {
        onRefused?.(entry.line, entry.text);
        yield refused(file, entry.line, value);
      } else yield { kind: 'row', line: entry.line, value };
    }
  }
}

function refused(file: string, line: number, reason: string): Refused {
  return { kind: 'refused', file, line, reason };
}
