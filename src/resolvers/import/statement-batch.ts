// One transaction's worth of accounts and days: locked first, then compared with what stands, then written by one
// statement per table.

import {
  findAccountsByNumber,
  findBookedElsewhere,
  findDaysWithTransactions,
  insertAccounts,
  insertTransactions,
  type NewAccount,
  type PlacedTransaction,
  putDays,
} from '../../db/import.js';
import { type BusinessDay, insertChanges, lockRoots, type Tx } from '../../db/index.js';
import { ImportTally } from './import-report.js';
import { StatementAudit } from './statement-audit.js';
import { withFreeIds } from './statement-ids.js';
import { planDay } from './statement-plan.js';
import type { AccountRecord, DayRecord } from './statement-record.js';

/** What all batches of an import share. */
export interface StatementRun {
  /** Of new accounts. */
  readonly timeZone: string;
  /** Asked for by name, so that an account with another one is refused. */
  readonly timeZoneIsGiven: boolean;
  /** Of new accounts whose file names none; else their own number, which no token is for unless one is issued. */
  readonly holder: string | undefined;
  readonly dryRun: boolean;
  /** Numbers of accounts that the database has otherwise; their days are refused. */
  readonly refusedAccounts: Set<string>;
  /** Currencies by number of the accounts that a dry run would have made. */
  readonly imaginedAccounts: Map<string, string>;
}

/** Records that go into one transaction; each account and each day at most once. */
export class StatementBatch {
  readonly accounts = new Map<string, AccountRecord>();
  readonly days = new Map<string, DayRecord>();
  /** Of the database, that is accounts, days and transactions. */
  rows = 0;

  /** Whether the same account or day is in the batch, so that this record must wait for the next. */
  holds(record: AccountRecord | DayRecord): boolean {
    return record.kind === 'account' ? this.accounts.has(record.number) : this.days.has(keyOf(record));
  }

  add(record: AccountRecord | DayRecord): void {
    if (record.kind === 'account') this.accounts.set(record.number, record);
    else this.days.set(keyOf(record), record);
    this.rows += record.kind === 'account' ? 1 : 1 + record.transactions.length;
  }

  /** Of all accounts concerned. */
  numbers(): string[] {
    return [...new Set([...this.accounts.keys(), ...[...this.days.values()].map(({ account }) => account)])];
  }
}

/** An account that days may be written to; without an id it exists in a dry run's imagination only. */
interface Target {
  readonly id: string | undefined;
  readonly currency: string;
}

/**
 * Writes the batch, or in a dry run only finds out what would be written. Gateways that change an account lock its root
 * first, as is done here, so that neither can deadlock the other.
 */
export async function writeBatch(tx: Tx, batch: StatementBatch, run: StatementRun): Promise<ImportTally> {
  const numbers = batch.numbers();
  if (!run.dryRun) {
    await lockRoots(
      tx,
      numbers.map((key) => ({ view: 'account', key })),
    );
  }
  const tally = new ImportTally();
  const audit = new StatementAudit();
  const targets = await writeAccounts(tx, batch, run, tally, audit);
  await writeDays(tx, batch, run, targets, tally, audit);
  if (!run.dryRun) await insertChanges(tx, audit.rows());
  return tally;
}

/** An account of the same number stands: it stays as it is, and one with another holder, currency or zone is refused. */
export function planAccount(
  record: Pick<AccountRecord, 'holder' | 'currency'>,
  stored: Pick<NewAccount, 'holder' | 'currency' | 'timeZone'>,
  timeZone: string | undefined,
): { readonly kind: 'unchanged' } | { readonly kind: 'refused'; readonly reason: string } {
  const differences = [
    record.holder !== null && stored.holder !== record.holder && `its holder is ${stored.holder}, not ${record.holder}`,
    stored.currency !== record.currency && `its currency is ${stored.currency}, not ${record.currency}`,
    timeZone !== undefined && stored.timeZone !== timeZone && `its time zone is ${stored.timeZone}, not ${timeZone}`,
  ].filter((difference) => difference !== false);
  if (differences.length === 0) return { kind: 'unchanged' };
  return { kind: 'refused', reason: `exists already, but ${differences.join(', and ')}; its days are refused too.` };
}

async function writeAccounts(
  tx: Tx,
  batch: StatementBatch,
  run: StatementRun,
  tally: ImportTally,
  audit: StatementAudit,
): Promise<Map<string, Target>> {
  const stored = await findAccountsByNumber(tx, batch.numbers());
  const targets = new Map<string, Target>(stored);
  for (const [number, currency] of run.imaginedAccounts) {
    if (!targets.has(number)) targets.set(number, { id: undefined, currency });
  }
  const made: NewAccount[] = [];
  for (const { number, holder: named, currency, opening, file, line } of batch.accounts.values()) {
    const holder = named ?? run.holder ?? null;
    const standing = stored.get(number);
    if (standing === undefined) {
      made.push({ number, holder: holder ?? number, currency, opening, timeZone: run.timeZone });
      audit.account(file, number);
      continue;
    }
    const plan = planAccount({ holder, currency }, standing, run.timeZoneIsGiven ? run.timeZone : undefined);
    if (plan.kind === 'unchanged') tally.keep();
    else {
      run.refusedAccounts.add(number);
      tally.refuse({ file, line, reason: `Account ${number} ${plan.reason}` });
    }
  }
  const ids = run.dryRun || made.length === 0 ? new Map<string, string>() : await insertAccounts(tx, made);
  for (const { number, currency } of made) {
    targets.set(number, { id: ids.get(number), currency });
    if (run.dryRun) run.imaginedAccounts.set(number, currency);
  }
  tally.write(made.length);
  return targets;
}

async function writeDays(
  tx: Tx,
  batch: StatementBatch,
  run: StatementRun,
  targets: ReadonlyMap<string, Target>,
  tally: ImportTally,
  audit: StatementAudit,
): Promise<void> {
  const days: BusinessDay[] = [];
  const lines: PlacedTransaction[] = [];
  const standing = await findStanding(tx, [...batch.days.values()], targets);
  for (const record of batch.days.values()) {
    const target = targets.get(record.account);
    const plan = planIn(record, target, run, standing);
    const where = `Account ${record.account}, ${record.date}:`;
    const { file, line, transactions } = record;
    if (plan.kind === 'refused') {
      tally.refuse({ file, line, reason: `${where} ${plan.reason}` }, transactions.length);
      continue;
    }
    if (plan.open !== undefined) tally.note({ file, line, reason: `${where} ${plan.open}` });
    if (plan.kind === 'write' && record.note !== undefined)
      tally.note({ file, line, reason: `${where} ${record.note}` });
    if (plan.kind === 'unchanged') {
      tally.keep(transactions.length);
      continue;
    }
    tally.write(plan.added.length);
    tally.keep(plan.kept);
    tally.changed = true;
    const accountId = target?.id;
    if (accountId === undefined) continue; // imagined
    days.push({ ...plan.day, accountId });
    audit.day(file, record.account, plan.added.length);
    const first = plan.day.count - plan.added.length + 1;
    const { date, revision } = plan.day;
    for (const [at, { externalId, minor, description, kind, balance }] of plan.added.entries()) {
      lines.push({ accountId, date, revision, position: first + at, externalId, minor, description, kind, balance });
    }
  }
  if (run.dryRun) return;
  await putDays(tx, days);
  await insertTransactions(tx, lines);
}

type Standing = Awaited<ReturnType<typeof findStanding>>;

/** What the database has of these days, and which of their transactions it has on other dates. */
async function findStanding(tx: Tx, records: readonly DayRecord[], targets: ReadonlyMap<string, Target>) {
  const wanted = records.flatMap(({ account, date, transactions }) => {
    const accountId = targets.get(account)?.id;
    return accountId === undefined ? [] : [{ accountId, date, transactions }];
  });
  const booked = wanted.flatMap(({ accountId, date, transactions }) =>
    transactions.map(({ externalId }) => ({ accountId, date, externalId })),
  );
  const stored = wanted.length === 0 ? [] : await findDaysWithTransactions(tx, wanted);
  const elsewhere = booked.length === 0 ? [] : await findBookedElsewhere(tx, booked);
  return {
    days: new Map(stored.map((day) => [`${day.accountId}/${day.date}`, day])),
    elsewhere: new Map(elsewhere.map((line) => [`${line.accountId}/${line.externalId}`, line])),
  };
}

/** What is to be booked, under ids that are free, and what becomes of its day. */
function planIn(record: DayRecord, target: Target | undefined, run: StatementRun, standing: Standing) {
  const { account, currency, date } = record;
  if (run.refusedAccounts.has(account)) return refused('The account was refused, and so are its days.');
  if (target === undefined) return refused('The account is unknown; import or open it first.');
  if (target.currency !== currency) return refused(`The account is in ${target.currency}, the file in ${currency}.`);
  const stored = standing.days.get(`${target.id}/${date}`);
  const own = new Set(stored?.transactions.map(({ externalId }) => externalId));
  const identified = withFreeIds(record, (id) => standing.elsewhere.get(`${target.id}/${id}`), own);
  return identified.kind === 'refused' ? identified : planDay(identified.record, stored);
}

const keyOf = ({ account, date }: DayRecord): string => `${account}/${date}`;

const refused = (reason: string) => ({ kind: 'refused', reason }) as const;
