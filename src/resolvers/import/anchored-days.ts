// Days of statements that state one balance at most, as OFX does. Going back from it, the balance of every day is exact
// that lies in the range of which the file says that it has every entry; the other days stay OPEN.

import { formatDecimal } from '../money.js';
import type { DecodedBalance, DecodedStatement } from './decoded-statement.js';
import { byDate, dayRecord, type EntryDay, withIds } from './entry-days.js';
import { gapBefore, type KnownDays } from './known-days.js';
import { dayAfter } from './statement-date.js';
import type { DayVerdict, StatementRecord } from './statement-record.js';

/** The latest balance of an account, and from when on the file has every entry up to it. */
interface Anchor extends DecodedBalance {
  readonly from: string | undefined;
  /** The first day that had not ended when the file was made. */
  readonly madeOn: string;
}

/** The account and its days; all statements of the account in the file count together. */
export async function* anchoredDays(
  file: string,
  account: string,
  statements: readonly DecodedStatement[],
  known: KnownDays,
): AsyncGenerator<StatementRecord> {
  const [first] = statements;
  if (first === undefined) return;
  const { line, currency } = first;
  const entries = statements.flatMap((statement) => statement.entries);
  const faults = statements.flatMap((statement) => statement.faults);
  const place = { file, line, account, currency };
  const records = Math.max(1, entries.length);
  const lost = faults.find(({ date }) => date === undefined);
  if (lost !== undefined) {
    const reason = `Account ${account}: the day of the entry on line ${lost.line} cannot be read, so that any day may lack it; nothing is imported.`;
    if (entries.length > 0) yield { kind: 'refused', file, line, reason, records };
    return;
  }
  const days = byDate(entries);
  const today = await known.todayOf(account);
  const anchor = anchorOf(statements);
  const conflict = anchor && conflictWith(anchor, statements, days, currency);
  if (conflict !== undefined) {
    yield { kind: 'refused', file, line: conflict.line, reason: `Account ${account}: ${conflict.reason}`, records };
    return;
  }
  const start = await startOf(account, statements, days, anchor, known);
  const opens = openingsOf(days, anchor, start);
  const opening = days[0] ? (opens.get(days[0].date) ?? 0n) : (anchor?.minor ?? first.opening?.minor ?? 0n);
  if (BigInt.asIntN(64, opening) !== opening) {
    yield { kind: 'refused', file, line, reason: `Account ${account}: its balances do not fit 64 bits.`, records };
    return;
  }
  const ids = withIds(days);
  const lacking = new Set(faults.flatMap(({ date }) => date ?? []));
  if (lacking.size === 0 || days.some(({ date }) => !lacking.has(date))) {
    yield { kind: 'account', file, line, number: account, holder: null, currency, opening };
  }
  const unfinished = statements.find((statement) => statement.unfinished)?.unfinished;
  let closedBefore = false;
  for (const { date, entries } of days) {
    if (lacking.has(date)) {
      const reason = `Account ${account}, ${date}: an entry of the day cannot be read; a day is imported whole or not at all.`;
      yield { kind: 'refused', file, line: entries[0]?.line ?? line, reason, records: entries.length };
      continue;
    }
    const reason = unfinished ?? whyOpen(date, anchor, lacking, today);
    const verdict: DayVerdict =
      reason === undefined
        ? { status: 'CLOSED' }
        : { status: 'OPEN', because: 'incomplete', reason: `${reason} It stays OPEN.` };
    const balance = opens.get(date) ?? 0n;
    const note =
      reason === undefined && !closedBefore ? await gapBefore(account, currency, date, balance, known) : undefined;
    closedBefore ||= reason === undefined;
    yield dayRecord(place, date, ids.get(date) ?? [], balance, verdict, note);
  }
}

/** The latest balance, and how far back from it the ranges of all statements reach without a gap. */
function anchorOf(statements: readonly DecodedStatement[]): Anchor | undefined {
  const [latest] = statements
    .flatMap(({ closing, madeOn }) => (closing ? [{ ...closing, madeOn: madeOn ?? closing.date }] : []))
    .sort((a, b) => (a.date < b.date ? 1 : a.date > b.date ? -1 : 0));
  if (latest === undefined) return undefined;
  const ranges = statements
    .flatMap(({ covers }) => (covers && covers.from <= covers.to ? [covers] : []))
    .sort((a, b) => (a.to < b.to ? 1 : a.to > b.to ? -1 : 0));
  let from: string | undefined;
  for (const range of ranges) {
    if (from === undefined) {
      if (range.to >= latest.date && range.from <= latest.date) from = range.from;
    } else if (dayAfter(range.to) < from) break;
    else if (range.from < from) from = range.from;
  }
  return { ...latest, from };
}

/** Another balance of the account, in the same range, that cannot be true if this one is. */
function conflictWith(
  anchor: Anchor,
  statements: readonly DecodedStatement[],
  days: readonly EntryDay[],
  currency: string,
): { line: number; reason: string } | undefined {
  for (const { closing } of statements) {
    if (closing === undefined || closing.date < (anchor.from ?? anchor.date)) continue;
    const since = days.filter(({ date }) => date > closing.date && date <= anchor.date);
    const follows = since.reduce((minor, { sum }) => minor - sum, anchor.minor);
    if (follows === closing.minor) continue;
    const [stated, other] = [closing.minor, follows].map((minor) => formatDecimal(minor, currency));
    const reason = `The balance of ${closing.date} is ${stated}, but by the balance of ${anchor.date} and the entries it is ${other}; nothing is imported.`;
    return { line: closing.line, reason };
  }
  return undefined;
}

/**
 * What each day opens with: in the range that the balance reaches back to, what follows from it. Before that it proves
 * nothing, and days carry on from `start`, if that is known.
 */
function openingsOf(
  days: readonly EntryDay[],
  anchor: Anchor | undefined,
  start: bigint | undefined,
): Map<string, bigint> {
  const until = anchor ? days.filter(({ date }) => date <= anchor.date) : [];
  let back = anchor ? until.reduce((minor, { sum }) => minor - sum, anchor.minor) : undefined;
  let forward = start;
  return new Map(
    days.map(({ date, sum }) => {
      const isReached = anchor?.from !== undefined && date >= anchor.from;
      const opening = (isReached ? (back ?? forward) : (forward ?? back)) ?? 0n;
      if (back !== undefined) back += sum;
      if (forward !== undefined) forward += sum;
      return [date, opening];
    }),
  );
}

/** What the first day opens with by what is known besides the closing balance; undefined when only that can say it. */
async function startOf(
  account: string,
  statements: readonly DecodedStatement[],
  [first]: readonly EntryDay[],
  anchor: Anchor | undefined,
  known: KnownDays,
): Promise<bigint | undefined> {
  if (first === undefined) return undefined;
  const stated = statements.find(({ opening }) => opening)?.opening;
  if (stated !== undefined) return stated.minor;
  if (anchor === undefined) return known.openingOf(account, first.date);
  return (await known.dayBefore(account, first.date))?.closing;
}

/** Why a day cannot be closed, as sentences; undefined when it can. */
function whyOpen(
  date: string,
  anchor: Anchor | undefined,
  lacking: ReadonlySet<string>,
  today: string,
): string | undefined {
  if (anchor === undefined) return 'The file states no closing balance with a date.';
  if (date > anchor.date) return `The day lies after ${anchor.date}, the date of the balance.`;
  if (anchor.from === undefined) {
    return `The balance is of ${anchor.date}, which lies outside the range that the file says it covers.`;
  }
  if (date < anchor.from) return `The file says that it has every entry since ${anchor.from} only.`;
  if (date === today) return 'The day has not ended.';
  if (date >= anchor.madeOn) return `The file was made on ${anchor.madeOn}, before the day had ended.`;
  const between = [...lacking].find((day) => day > date && day <= anchor.date);
  return between && `An entry of ${between} cannot be read, so that the balance does not reach back to this day.`;
}
