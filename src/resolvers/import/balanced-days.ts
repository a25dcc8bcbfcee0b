// Days of statements that state what they open and close with, as MT940 and camt.053 do. Each is taken whole or refused
// whole, since without one entry its balances prove nothing.

import { formatDecimal } from '../money.js';
import type { DecodedStatement } from './decoded-statement.js';
import { byDate, dayRecord, type EntryDay, sumOf, withIds } from './entry-days.js';
import { gapBefore, type KnownDays } from './known-days.js';
import type { DayVerdict, StatementRecord } from './statement-record.js';

/** A statement whose balances are both there. */
type Balanced = DecodedStatement & Required<Pick<DecodedStatement, 'opening' | 'closing'>>;

/** Statements that continue one another. */
type Run = [Balanced, ...Balanced[]];

/**
 * The account and its days. Statements of which one opens with what another closed with make one run, whose days carry
 * on from one another; a statement without entries closes its last day as an empty one.
 */
export async function* balancedDays(
  file: string,
  account: string,
  statements: readonly DecodedStatement[],
  known: KnownDays,
): AsyncGenerator<StatementRecord> {
  const sound: Balanced[] = [];
  for (const statement of statements) {
    const { opening, closing } = statement;
    if (opening === undefined || closing === undefined) continue;
    const whole = { ...statement, opening, closing };
    const reason = faultOf(whole);
    if (reason === undefined) sound.push(whole);
    else yield refused(file, whole, `Account ${account}: ${reason}`);
  }
  const today = await known.todayOf(account);
  const taken = new Set<string>();
  let isNew = true;
  for (const run of runsOf(sound)) {
    const days = byDate(run.flatMap(({ entries }) => entries));
    const dates = datesOf(run, days);
    const twice = dates.find((date) => taken.has(date));
    if (twice !== undefined) {
      for (const statement of run) {
        yield refused(
          file,
          statement,
          `Account ${account}: ${twice} is in a statement above that this one does not continue.`,
        );
      }
      continue;
    }
    const [{ line, currency, opening }] = run;
    const last = run.at(-1) ?? run[0];
    if (isNew) yield { kind: 'account', file, line, number: account, holder: null, currency, opening: opening.minor };
    isNew = false;
    const place = { file, line: last.line, account, currency };
    const unfinished = run.find((statement) => statement.unfinished)?.unfinished;
    const verdictOn = (date: string): DayVerdict => {
      const reason = unfinished ?? (date === today ? 'The day has not ended.' : undefined);
      if (reason === undefined) return { status: 'CLOSED' };
      return { status: 'OPEN', because: 'incomplete', reason: `${reason} It stays OPEN.` };
    };
    const ids = withIds(days);
    let balance = opening.minor;
    for (const [at, date] of dates.entries()) {
      taken.add(date);
      const note = at === 0 ? await gapBefore(account, currency, date, balance, known) : undefined;
      const day = dayRecord(place, date, ids.get(date) ?? [], balance, verdictOn(date), note);
      balance = day.closing;
      yield day;
    }
  }
}

/** The days with entries, and the closing days of statements without any. */
function datesOf(run: Run, days: readonly EntryDay[]): string[] {
  const empty = run.flatMap(({ entries, closing }) => (entries.length === 0 ? [closing.date] : []));
  return [...new Set([...days.map(({ date }) => date), ...empty])].sort();
}

/** Why the statement cannot be taken, if it cannot. */
function faultOf({ opening, closing, entries, faults, currency }: Balanced): string | undefined {
  if (faults.length > 0) {
    return `${faults.length} of the statement's entries cannot be read, so that its balances cannot be checked; nothing of it is imported.`;
  }
  if (closing.date < opening.date) {
    return `The statement closes on ${closing.date}, before it opens on ${opening.date}; nothing of it is imported.`;
  }
  const sum = opening.minor + sumOf(entries);
  if (sum === closing.minor) return undefined;
  const [opens, adds, closes] = [opening.minor, sum, closing.minor].map((minor) => formatDecimal(minor, currency));
  return `The statement opens with ${opens}, its entries make that ${adds}, but it closes with ${closes}; nothing of it is imported.`;
}

/** Statements in runs, ordered by the day that they open on. */
function runsOf(statements: readonly Balanced[]): Run[] {
  const runs: Run[] = [];
  const sorted = [...statements].sort((a, b) =>
    a.opening.date < b.opening.date ? -1 : a.opening.date > b.opening.date ? 1 : 0,
  );
  for (const statement of sorted) {
    const run = runs.at(-1);
    const first = run?.[0];
    // Some banks list the statements of one day from the last to the first.
    const precedes = first?.opening.date === statement.opening.date && first.opening.minor === statement.closing.minor;
    if (run?.at(-1)?.closing.minor === statement.opening.minor) run?.push(statement);
    else if (precedes) run?.unshift(statement);
    else runs.push([statement]);
  }
  return runs;
}

function refused(file: string, statement: DecodedStatement, reason: string): StatementRecord {
  const records = Math.max(1, statement.entries.length);
  return { kind: 'refused', file, line: statement.line, reason, records };
}
