// Transactions of the Berka files as statement days: one day per account is held until a later one is met.
import { addUpDay } from './berka-day.js';
import { readRows, refused } from './berka-file.js';
import { placeOfTransaction, type TransactionRow, transactionRow } from './berka-rows.js';
import type { Progress } from './lines.js';
import type { DayRecord, StatementRecord, StatementTransaction } from './statement-record.js';

export interface BerkaDaysOptions {
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
 * The statement days of transaction files, one after the other in the order given, of `accounts` and of accounts that are
 * known already. See `readBerka`.
 */
export async function* readDays(
  files: readonly string[],
  accounts: ReadonlySet<string>,
  currency: string,
  options: BerkaDaysOptions,
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
  for (const file of files) {
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
