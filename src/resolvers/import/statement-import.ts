// Writes bank statements into the database: accounts and whole days, in transactions of a few thousand rows. A crash
// leaves whole days only, and importing the same files again changes nothing.

import { findOpeningOf, hasAccount } from '../../db/import.js';
import { type Db, repeated } from '../../db/index.js';
import { requireTimeZone } from '../business-date.js';
import { type ImportOutcome, ImportTally } from './import-report.js';
import type { Progress } from './lines.js';
import { requireReadable } from './readable.js';
import { StatementBatch, type StatementRun, writeBatch } from './statement-batch.js';
import { groupByFormat } from './statement-format.js';

export interface StatementImportOptions {
  /** The name of a format; found by each file's first line unless given. */
  readonly format?: string;
  /** ISO 4217, for formats that name none; else the format's own. */
  readonly currency?: string;
  /** IANA name, for new accounts; else the format's own. */
  readonly timeZone?: string;
  /** All checks, nothing written. */
  readonly dryRun?: boolean;
  readonly onProgress?: (progress: Progress) => void;
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
    const records = format.read(files, {
      currency: options.currency ?? format.currency,
      knownAccounts: (number) => hasAccount(db, number),
      openingOf: async (number, date) => (await findOpeningOf(db, number, date)) ?? 0n,
      ...(options.onProgress && { onProgress: options.onProgress }),
    });
    const run: StatementRun = {
      timeZone: timeZone ?? format.timeZone,
      timeZoneIsGiven: timeZone !== undefined,
      dryRun: options.dryRun ?? false,
      refusedAccounts: new Set(),
      imaginedAccounts: new Map(),
    };
    let batch = new StatementBatch();
    for await (const record of records) {
      if (record.kind === 'refused') {
        tally.refuse(record);
        continue;
      }
      if (batch.rows >= BATCH_ROWS || batch.holds(record)) {
        tally.merge(await write(db, batch, run));
        batch = new StatementBatch();
      }
      batch.add(record);
    }
    tally.merge(await write(db, batch, run));
  }
  return tally.outcome();
}

async function write(db: Db, batch: StatementBatch, run: StatementRun): Promise<ImportTally> {
  if (batch.rows === 0) return new ImportTally();
  const config = run.dryRun ? ({ accessMode: 'read only' } as const) : undefined;
  return repeated(() => db.transaction((tx) => writeBatch(tx, batch, run), config));
}
