// How arrays are sent and read. postgres.js would ask each new session for all array types, and the failure of that
// question, when the connection is lost meanwhile, reaches nobody but the process: it is not asked (`fetch_types: false`).
import { makePgArray, parsePgArray } from 'drizzle-orm/pg-core/utils';

// Drizzle hands the arrays of its own columns over as text.
const arrayText = (items: unknown) => (Array.isArray(items) ? makePgArray(items) : String(items));
const arrayType = (oid: number) => ({ to: oid, from: [oid], serialize: arrayText, parse: parsePgArray });

/** The arrays in our statements, by their type's number in every Postgres. Members are read as strings. */
export const ARRAY_TYPES = {
  xid8s: arrayType(271),
  integers: arrayType(1007),
  texts: arrayType(1009),
  bigints: arrayType(1016),
  floats: arrayType(1022),
  uuids: arrayType(2951),
};
