// How arrays are sent and read. postgres.js would ask each new session for all array types, and the failure of that
// question, when the connection is lost meanwhile, reaches nobody but the process: it is not asked (`fetch_types: false`).
import { makePgArray } from 'drizzle-orm/pg-core/utils';

// Drizzle hands the arrays of its own columns over as text.
const arrayText = (items: unknown) => (Array.isArray(items) ? makePgArray(items) : String(items));
const arrayType = (oid: number) => ({ to: oid, from: [oid], serialize: arrayText, parse: parseArray });

/** The arrays in our statements, by their type's number in every Postgres. Members are read as strings. */
export const ARRAY_TYPES = {
  xid8s: arrayType(271),
  integers: arrayType(1007),
  texts: arrayType(1009),
  bigints: arrayType(1016),
  floats: arrayType(1022),
  uuids: arrayType(2951),
};

/**
 * The members of a one-dimensional array as Postgres prints it, each exactly as it was stored; NULL is null. Drizzle's own
 * reader loses the backslashes within members, and with them every quotation mark of a JSON text.
 */
export function parseArray(printed: string): (string | null)[] {
  const members: (string | null)[] = [];
  const last = printed.length - 1;
  for (let at = 1; at < last; at++) {
    const isQuoted = printed[at] === '"';
    const end = isQuoted ? closingQuote(printed, at + 1) : printed.indexOf(',', at);
    const member = printed.slice(isQuoted ? at + 1 : at, end < 0 ? last : end);
    if (isQuoted) members.push(member.includes('\\') ? member.replace(/\\(.)/gs, '$1') : member);
    else members.push(member === 'NULL' ? null : member);
    at = end < 0 ? last : isQuoted ? end + 1 : end;
  }
  return members;
}

/** Where the member ends that begins at `from`: at the first quotation mark without a backslash. */
function closingQuote(printed: string, from: number): number {
  let at = from;
  while (at < printed.length && printed[at] !== '"') at += printed[at] === '\\' ? 2 : 1;
  return at;
}
