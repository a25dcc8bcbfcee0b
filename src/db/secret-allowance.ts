// How many secrets a caller may still reveal, for all gateways together: a token bucket per subject (as in Turner, "New
// directions in communications", 1986). The table and every statement on it.
import { sql } from 'drizzle-orm';
import { doublePrecision, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

import { type Tx, txQuery } from './connection.js';

export const revealAllowances = pgTable('reveal_allowances', {
  subject: text().primaryKey(),
  /** As of `refilledAt`. */
  remaining: doublePrecision().notNull(),
  refilledAt: timestamp('refilled_at', { withTimezone: true }).notNull(),
});

export interface Allowance {
  /** So many at once. */
  readonly burst: number;
  /** So many more each second, up to `burst`. */
  readonly perSecond: number;
}

/**
 * Takes one reveal off the subject's allowance; false when none is left. By the clock of Postgres. Reveals of one subject
 * follow each other until the transaction ends, and a rollback gives back what was taken.
 */
export async function takeAllowance(tx: Tx, subject: string, { burst, perSecond }: Allowance): Promise<boolean> {
  const standing = sql`least(${burst}::float8, mine.remaining
    + greatest(0, extract(epoch FROM clock_timestamp() - mine.refilled_at)) * ${perSecond}::float8)`;
  const rows = await txQuery(tx)(sql`
    INSERT INTO reveal_allowances AS mine (subject, remaining, refilled_at)
    VALUES (${subject}, ${burst}::float8 - 1, clock_timestamp())
    ON CONFLICT (subject) DO UPDATE SET remaining = ${standing} - 1, refilled_at = clock_timestamp()
      WHERE ${standing} >= 1
    RETURNING subject`);
  return rows.length > 0;
}
