// Writes bank statements into the database: accounts and whole days, in transactions of a few thousand rows. A crash
// leaves whole days only, and importing the same files again changes nothing.

import { findOpeningOf, hasAccount } from '../../db/import.js';
import { type Db, findAccount, findDayBefore, repeated } from '../../db/index.js';
import { requireTimeZone, todayIn } from '../business-date.js';
import { type ImportOutcome, ImportTally } from './import-report.js';
import type { EarlierDay } from './known-days.js';
import type { Progress } from './lines.js';
import { requireReadable } from './readable.js';
import { StatementBatch, type StatementRun, writeBatch } from './statement-batch.js';
import { groupByFormat, type ReadOptions, type StatementFormat } from './statement-format.js';

export interface StatementImportOptions {
  /** The name of a format; found by what each file holds unless given. */
  readonly format?: string;
  /** ISO 4217, for files that name none; else the format's own, if it has one. */
  readonly currency?: string;
  /** The number of the account, for files that name none. */
  readonly account?: string;
  /** Who holds the new accounts whose file names nobody: a token's subject. Else the account's own number. */
  readonly holder?: string;
  /** IANA name, for new accounts; else the format's own. */
  readonly timeZone?: string;
  /** All checks, nothing written. */
  readonly dryRun?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** Milliseconds since 1970; by what date it is, a day has ended or not. */
  readonly now?: () => number;
}

/** Rows of one transaction. Larger ones are hardly faster, but hold locks for longer; smaller ones pay for each COMMIT. */
const BATCH_ROWS = 4_000;

/**
 * Imports `files` together. The report counts accounts and transactions; a day that is refused counts its transactions.
 * Days that stay OPEN are written, and listed among the errors with their reason.
 * What an account or a day may become, `planAccount` and `planDay` say.
 * @throws {ImportFailed} before anything is written, when a file cannot be read or none is of a known format.
 * @throws {DatabaseUnavailable} when Postgres is lost on the way; what was written stays, and importing again goes on.
 */
export async function importStatements(
  db: Db,
  files: readonly string[],
  options: StatementImportOptions = {},
): Promise<ImportOutcome> {
  const timeZone = options.timeZone === undefined ? undefined : requireTimeZone(options.timeZone, ['timeZone']);
  await requireReadable(files);
  const { groups, refused } = await groupByFormat(files, options.format);
  const tally = new ImportTally();
  for (const error of refused) tally.refuse(error);
  for (const { format, files } of groups) {
    const run: StatementRun = {
      timeZone: timeZone ?? format.timeZone,
      timeZoneIsGiven: timeZone !== undefined,
      holder: options.holder,
      dryRun: options.dryRun ?? false,
      refusedAccounts: new Set(),
      imaginedAccounts: new Map(),
    };
    // What is in the batch is not in the database yet, but the reader asks for it.
    const pending = new Map<string, EarlierDay[]>();
    let batch = new StatementBatch();
    for await (const record of format.read(files, readOptions(db, format, run.timeZone, pending, options))) {
      if (record.kind === 'refused') {
        tally.refuse(record, record.records);
        continue;
      }
      if (batch.rows >= BATCH_ROWS || batch.holds(record)) {
        tally.merge(await write(db, batch, run));
        batch = new StatementBatch();
        if (!run.dryRun) pending.clear();
      }
      batch.add(record);
      if (record.kind === 'day') {
        const { date, status } = record;
        const day = { date, status, closing: record.statedClosing ?? record.closing };
        const days = pending.get(record.account);
        if (days) days.push(day);
        else pending.set(record.account, [day]);
      }
    }
    tally.merge(await write(db, batch, run));
  }
  return tally.outcome();
}

/** What the reader of a format may ask: what stands in the database, or is about to. */
function readOptions(
  db: Db,
  format: StatementFormat,
  timeZone: string,
  pending: ReadonlyMap<string, readonly EarlierDay[]>,
  { currency, account, onProgress, now = Date.now }: StatementImportOptions,
): ReadOptions {
  const zones = new Map<string, string>();
  const timeZoneOf = async (number: string): Promise<string> => {
    const known = zones.get(number);
    if (known !== undefined) return known;
    const zone = (await db.transaction((tx) => findAccount(tx, number)))?.timeZone ?? timeZone;
    zones.set(number, zone);
    return zone;
  };
  const dayBefore = async (number: string, date: string) => {
    const stored = await db.transaction(async (tx) => {
      const row = await findAccount(tx, number);
      return row && findDayBefore(tx, row.id, date);
    });
    const before = stored && {
      date: stored.date,
      status: stored.status,
      closing: stored.statedClosing ?? stored.closing,
    };
    const waiting = (pending.get(number) ?? []).filter((day) => day.date < date);
    return [...waiting, ...(before ? [before] : [])].sort((a, b) => (a.date < b.date ? 1 : -1))[0];
  };
  return {
    currency: currency ?? format.currency,
    account,
    knownAccounts: (number) => hasAccount(db, number),
    openingOf: async (number, date) => {
      const before = pending.has(number) ? await dayBefore(number, date) : undefined;
      return before?.closing ?? (await findOpeningOf(db, number, date)) ?? 0n;
    },
    dayBefore,
    timeZoneOf,
    todayOf: async (number) => todayIn(await timeZoneOf(number), now()),
    ...(onProgress && { onProgress }),
  };
}

async function write(db: Db, batch: StatementBatch, run: StatementRun): Promise<ImportTally> {
  if (batch.rows === 0) return new ImportTally();
  const config = run.dryRun ? ({ accessMode: 'read only' } as const) : undefined;
  return repeated(() => db.transaction((tx) => writeBatch(tx, batch, run), config));
}
