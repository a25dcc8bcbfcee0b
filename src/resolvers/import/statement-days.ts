// Makes accounts and business days of the statements that one file holds, whatever its format. Statements with an
// opening and a closing balance have to add up exactly; the others are closed as far as their balance proves.

import { anchoredDays } from './anchored-days.js';
import { balancedDays } from './balanced-days.js';
import { type Decoded, type DecodedStatement, requireEntries } from './decoded-statement.js';
import { byDate, doubledIn } from './entry-days.js';
import { StatementFault } from './errors.js';
import type { KnownDays } from './known-days.js';
import type { StatementRecord } from './statement-record.js';

/**
 * The records of a file. A statement is taken day by day, and a day whole or not at all: a day that lacks an entry is
 * refused, and all of them are when the entry's day could not be read or a balance cannot be checked without it.
 */
export async function* recordsOf(
  file: string,
  decoded: AsyncIterable<Decoded>,
  known: KnownDays,
): AsyncGenerator<StatementRecord> {
  const accounts = new Map<string, DecodedStatement[]>();
  let count = 0;
  try {
    for await (const record of decoded) {
      if (record.kind === 'refused') yield { ...record, file };
      else {
        count += countOf(record);
        requireEntries(count, record.line);
        const same = accounts.get(record.account);
        if (same) same.push(record);
        else accounts.set(record.account, [record]);
      }
    }
  } catch (error) {
    if (!(error instanceof StatementFault)) throw error;
    yield { kind: 'refused', file, line: error.line, reason: error.message };
  }
  for (const [account, statements] of accounts) {
    yield* accountRecords(file, account, statements, known);
  }
}

/** @throws nothing: what is wrong with a statement is one of its records. */
async function* accountRecords(
  file: string,
  account: string,
  given: readonly DecodedStatement[],
  known: KnownDays,
): AsyncGenerator<StatementRecord> {
  const today = await known.todayOf(account);
  const currency = given[0]?.currency ?? '';
  const balanced: DecodedStatement[] = [];
  const others: DecodedStatement[] = [];
  for (const statement of given) {
    if (statement.currency !== currency) {
      const reason = `Account ${account} is in ${currency} above and in ${statement.currency} here; an account has one currency.`;
      yield { kind: 'refused', file, line: statement.line, reason, records: countOf(statement) };
    } else {
      const checked = withoutFaulty(statement, today);
      for (const { line, reason } of checked.faults) yield { kind: 'refused', file, line, reason };
      (checked.opening && checked.closing ? balanced : others).push(checked);
    }
  }
  if (balanced.length > 0) yield* balancedDays(file, account, balanced, known);
  if (others.length > 0) yield* anchoredDays(file, account, others, known);
}

const countOf = ({ entries, faults }: DecodedStatement): number => Math.max(1, entries.length + faults.length);

/** The statement, with the entries that cannot be booked among its faults. */
function withoutFaulty(statement: DecodedStatement, today: string): DecodedStatement {
  const late = statement.entries.filter(({ date }) => date > today);
  // Balances that add up say of two entries alike that they are two.
  const doubled = statement.opening && statement.closing ? [] : doubledIn(byDate(statement.entries));
  if (late.length + doubled.length === 0) return statement;
  const lines = new Set([...late, ...doubled].map(({ line }) => line));
  return {
    ...statement,
    entries: statement.entries.filter(({ line }) => !lines.has(line)),
    faults: [
      ...statement.faults,
      ...doubled,
      ...late.map(({ line, date }) => ({ line, date, reason: `The entry is of ${date}, and it is only ${today}.` })),
    ],
  };
}
