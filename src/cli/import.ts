// `espelho import`: files into the database, with progress on the way and a report at the end. A report of success
// means that every gateway shows what was imported.

import type { Connection, ListKind } from '../db/index.js';
import { requireTimeZone } from '../resolvers/business-date.js';
import { requireEnvironmentKey } from '../resolvers/flag-input.js';
import { accountNumberOf } from '../resolvers/import/decoded-statement.js';
import { flagFormatNames, importFlags } from '../resolvers/import/flag-import.js';
import { type ImportOutcome, joined } from '../resolvers/import/import-report.js';
import type { Progress } from '../resolvers/import/lines.js';
import { importMenu, menuFormatNames, menuNamesOf } from '../resolvers/import/menu-import.js';
import { requireReadable } from '../resolvers/import/readable.js';
import { listFormatNames } from '../resolvers/import/security-list-file.js';
import { importSecurityList } from '../resolvers/import/security-list-import.js';
import { importParameters, parameterNamesOf } from '../resolvers/import/security-parameter-import.js';
import { statementFormatNames } from '../resolvers/import/statement-format.js';
import { importStatements } from '../resolvers/import/statement-import.js';
import { Invalid } from '../resolvers/index.js';
import { isCurrency } from '../resolvers/money.js';
import { requireText } from '../resolvers/posting-input.js';
import { requireSecurityName } from '../resolvers/security-record.js';
import { awaitVisible, withDatabase } from './database.js';
import { UsageError } from './failure.js';
import { showProgress } from './progress.js';
import { jsonReport, readableReport } from './report.js';
import type { Terminal } from './terminal.js';

interface Flags {
  readonly format?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

export interface MenuFlags {
  readonly key?: string;
  readonly locale?: string;
  readonly title?: string;
  readonly part?: string;
  readonly labels?: readonly string[];
}

/** Imports each file as a menu, or as one per label file; gives the exit code. */
export async function importMenus(
  files: readonly string[],
  options: Flags & MenuFlags,
  terminal: Terminal,
): Promise<number> {
  requireFormat(options.format, menuFormatNames);
  const names = wellCalled(() =>
    files.flatMap((file) => menuNamesOf(file, options).map(({ key, locale }) => `${key} in ${locale}`)),
  );
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new UsageError(`Two of the files would be menu ${twice}, one replacing the other; import one of them.`);
  }
  return importFiles(files, options, terminal, async ({ db }, shared) => {
    const outcomes: ImportOutcome[] = [];
    for (const file of files) outcomes.push(await importMenu(db, file, { ...options, ...shared }));
    return joined(outcomes);
  });
}

/** Imports the files together as flags of one environment; gives the exit code. */
export async function importFlagFiles(
  files: readonly string[],
  options: Flags & { readonly environment: string },
  terminal: Terminal,
): Promise<number> {
  requireFormat(options.format, flagFormatNames);
  wellCalled(() => requireEnvironmentKey(options.environment, ['environment']));
  return importFiles(files, options, terminal, ({ db }, shared) =>
    importFlags(db, files, options.environment, { format: options.format, ...shared }),
  );
}

/** Imports the files together as one list of security values; gives the exit code. */
export async function importSecurityLists(
  files: readonly string[],
  options: Flags & { readonly name: string; readonly kind?: string },
  terminal: Terminal,
): Promise<number> {
  requireFormat(options.format, listFormatNames);
  wellCalled(() => requireSecurityName(options.name));
  const kind = options.kind === undefined ? undefined : requireListKind(options.kind);
  return importFiles(files, options, terminal, ({ db }, shared) =>
    importSecurityList(db, files, options.name, { format: options.format, kind, ...shared }),
  );
}

/** Imports each file as a parameter; gives the exit code. */
export async function importParameterFiles(
  files: readonly string[],
  options: Flags & { readonly name?: string },
  terminal: Terminal,
): Promise<number> {
  wellCalled(() => parameterNamesOf(files, options.name));
  return importFiles(files, options, terminal, ({ db }, shared) =>
    importParameters(db, files, { name: options.name, ...shared }),
  );
}

/** Imports the files together as bank statements; gives the exit code. */
export async function importStatementFiles(
  files: readonly string[],
  options: Flags & {
    readonly currency?: string;
    readonly timeZone?: string;
    readonly account?: string;
    readonly holder?: string;
  },
  terminal: Terminal,
): Promise<number> {
  requireFormat(options.format, statementFormatNames);
  const { currency, timeZone, account, holder } = options;
  if (currency !== undefined && !isCurrency(currency)) {
    throw new UsageError(`"${currency}" is no ISO 4217 currency; give its three capital letters, such as EUR.`);
  }
  if (timeZone !== undefined) wellCalled(() => requireTimeZone(timeZone, []));
  if (holder !== undefined) wellCalled(() => requireText(holder, 1, 200, ['holder']));
  if (account !== undefined && accountNumberOf(account) !== account) {
    throw new UsageError(`"${account}" is no account number; it has up to 64 letters, digits and . _ - only.`);
  }
  return importFiles(files, options, terminal, ({ db }, shared) =>
    importStatements(db, files, { ...options, ...shared }),
  );
}

interface Shared {
  readonly dryRun: boolean;
  readonly onProgress: (progress: Progress) => void;
}

async function importFiles(
  files: readonly string[],
  { dryRun = false, json = false }: { readonly dryRun?: boolean; readonly json?: boolean },
  terminal: Terminal,
  act: (connection: Connection, shared: Shared) => Promise<ImportOutcome>,
): Promise<number> {
  await requireReadable(files);
  return withDatabase(terminal.env, async (connection) => {
    const progress = await showProgress(files, terminal);
    const outcome = await act(connection, { dryRun, onProgress: progress.step }).finally(progress.stop);
    terminal.out(json ? jsonReport(outcome) : readableReport(outcome, dryRun));
    if (outcome.changed && !dryRun) await awaitVisible(connection);
    if (outcome.written + outcome.unchanged > 0) return 0;
    terminal.err.write('No record could be imported; the report says why.\n');
    return 1;
  });
}

function requireFormat(format: string | undefined, known: readonly string[]): void {
  if (format === undefined || known.includes(format)) return;
  throw new UsageError(`There is no format "${format}"; the formats are: ${known.join(', ')}.`);
}

function requireListKind(text: string): ListKind {
  const kind = text.toUpperCase();
  if (kind === 'TEXT' || kind === 'ADDRESS') return kind;
  throw new UsageError(`There is no kind of list "${text}"; the kinds are: text, address.`);
}

/** What `check` gives; an option that it cannot take is a wrong call. */
function wellCalled<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    throw error instanceof Invalid ? new UsageError(error.message) : error;
  }
}
