// Ids of transactions across the days of an account. Banks give a reference to another transaction after a while, and
// list the same transaction twice: the first must not hold up a day, the second must not be booked twice.
import type { BookedElsewhere } from '../../db/import.js';
import type { DayRecord } from './statement-record.js';

export type Identified =
  | { readonly kind: 'free'; readonly record: DayRecord }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * The record with ids under which it can be booked. An id that stands on another date with other content adds this
 * record's date, as it would within one file; one that stands there with the same content may be the same transaction,
 * and the day is refused. Ids that the day has already (`own`) stay.
 */
export function withFreeIds(
  record: DayRecord,
  elsewhere: (externalId: string) => BookedElsewhere | undefined,
  own: ReadonlySet<string>,
): Identified {
  const taken = new Set(record.transactions.map(({ externalId }) => externalId));
  const transactions: DayRecord['transactions'][number][] = [];
  for (const line of record.transactions) {
    const other = own.has(line.externalId) ? undefined : elsewhere(line.externalId);
    if (other && other.minor === line.minor && other.description === line.description) {
      return { kind: 'refused', reason: `Transaction ${line.externalId} is booked on ${other.date} already.` };
    }
    transactions.push(other ? { ...line, externalId: free(`${line.externalId}@${record.date}`, taken) } : line);
  }
  return { kind: 'free', record: { ...record, transactions } };
}

function free(dated: string, taken: Set<string>): string {
  let id = dated;
  for (let count = 2; taken.has(id); count++) id = `${dated}.${count}`;
  taken.add(id);
  return id;
}
