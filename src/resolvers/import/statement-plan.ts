// What becomes of a day that was read, given what stands of it in the database. A closed day never changes; an open one
// only grows; a day is taken whole or refused whole.

import type { ImportedDay, ImportedTransaction } from '../../db/import.js';
import type { BusinessDay } from '../../db/index.js';
import { formatDecimal } from '../money.js';
import { verdictOn } from './day-verdict.js';
import type { DayRecord, StatementTransaction } from './statement-record.js';

export type DayPlan =
  /** `added` go after the `kept` ones that stand already; `open` says why the day stays OPEN, if it does. */
  | {
      readonly kind: 'write';
      readonly day: Omit<BusinessDay, 'accountId'>;
      readonly added: readonly StatementTransaction[];
      readonly kept: number;
      readonly open: string | undefined;
    }
  | { readonly kind: 'unchanged'; readonly open: string | undefined }
  | { readonly kind: 'refused'; readonly reason: string };

/** What to do with `record`; `stored` is the latest revision of the same day, if there is one. */
export function planDay(record: DayRecord, stored: ImportedDay | undefined): DayPlan {
  const repeated = firstRepeated(record.transactions);
  if (repeated !== undefined) return refused(`The day has transaction ${repeated} twice; ids are unique.`);
  if (stored && stored.status !== 'OPEN') {
    const difference = differenceOf(record, stored);
    if (difference === undefined) return { kind: 'unchanged', open: undefined };
    return refused(`The day is closed and cannot change, but ${difference}.`);
  }
  return stored ? planOpenDay(record, stored) : planNewDay(record);
}

function planNewDay(record: DayRecord): DayPlan {
  const { date, status, opening, credits, debits, closing, transactions } = record;
  const statedClosing = status === 'OPEN' ? record.statedClosing : null;
  const count = transactions.length;
  const day = { date, revision: 1, status, opening, credits, debits, closing, count, statedClosing };
  if (!fits(day)) return tooLarge;
  return { kind: 'write', day, added: transactions, kept: 0, open: status === 'OPEN' ? record.reason : undefined };
}

/**
 * The stored transactions stay, unknown ones follow, and the opening is the record's: it may be known better by now.
 * The day closes when the sum of all of them is a balance that the bank lists.
 */
function planOpenDay(record: DayRecord, stored: ImportedDay): DayPlan {
  const known = new Map(stored.transactions.map((line) => [line.externalId, line]));
  const added: StatementTransaction[] = [];
  for (const line of record.transactions) {
    const standing = known.get(line.externalId);
    if (standing === undefined) added.push(line);
    else if (!sameTransaction(line, standing)) {
      return refused(`Transaction ${line.externalId} stands in the day already with other content.`);
    }
  }
  const credits = added.reduce((sum, { minor }) => (minor > 0n ? sum + minor : sum), stored.credits);
  const debits = added.reduce((sum, { minor }) => (minor < 0n ? sum - minor : sum), stored.debits);
  const closing = record.opening + credits - debits;
  const listed = [...stored.transactions, ...record.transactions].map(({ balance }) => balance);
  const balanced = verdictOn(closing, [...listed, record.statedClosing], record.currency);
  const incomplete = record.status === 'OPEN' && record.because === 'incomplete';
  const isListed = record.statedClosing !== null || listed.some((balance) => balance !== null);
  const verdict = incomplete ? { ...record, statedClosing: isListed ? balanced.statedClosing : null } : balanced;
  const open = verdict.status === 'OPEN' ? verdict.reason : undefined;
  if (added.length === 0 && open !== undefined && record.opening === stored.opening) return { kind: 'unchanged', open };
  const day = {
    date: record.date,
    revision: stored.revision,
    status: verdict.status,
    opening: record.opening,
    credits,
    debits,
    closing,
    count: stored.count + added.length,
    statedClosing: verdict.status === 'OPEN' ? verdict.statedClosing : null,
  };
  if (!fits(day)) return tooLarge;
  return { kind: 'write', day, added, kept: record.transactions.length - added.length, open };
}

/** In what the record differs from a closed day, as the end of a sentence. The order of transactions is no difference. */
function differenceOf(record: DayRecord, stored: ImportedDay): string | undefined {
  const known = new Map(stored.transactions.map((line) => [line.externalId, line]));
  for (const line of record.transactions) {
    const standing = known.get(line.externalId);
    if (standing === undefined) return `the file has transaction ${line.externalId} besides`;
    if (!sameTransaction(line, standing)) return `transaction ${line.externalId} is another in the file`;
  }
  if (known.size !== record.transactions.length) {
    return `it has ${known.size} transactions where the file has ${record.transactions.length}`;
  }
  if (record.opening === stored.opening) return undefined;
  const [opening, standing] = [record.opening, stored.opening].map((minor) => formatDecimal(minor, record.currency));
  return `it opened with ${standing} where the file makes it ${opening}`;
}

/** A balance that only one side knows is no difference. */
function sameTransaction(line: StatementTransaction, standing: ImportedTransaction): boolean {
  const { minor, description, kind, balance } = standing;
  const sameBalance = line.balance === null || balance === null || line.balance === balance;
  return line.minor === minor && line.description === description && line.kind === kind && sameBalance;
}

function firstRepeated(transactions: readonly StatementTransaction[]): string | undefined {
  const seen = new Set<string>();
  for (const { externalId } of transactions) {
    if (seen.has(externalId)) return externalId;
    seen.add(externalId);
  }
  return undefined;
}

function fits({ credits, debits, opening, closing }: Pick<BusinessDay, 'credits' | 'debits' | 'opening' | 'closing'>) {
  return [credits, debits, opening, closing].every((minor) => BigInt.asIntN(64, minor) === minor);
}

const tooLarge: DayPlan = { kind: 'refused', reason: 'The totals of the day do not fit 64 bits.' };

const refused = (reason: string): DayPlan => ({ kind: 'refused', reason });
