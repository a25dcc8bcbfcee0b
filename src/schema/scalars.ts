// The scalars of the contract. What they refuse they name, cut to a length that fits a sentence.
import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';

const MAX_BIGINT = 2n ** 63n - 1n;
const MIN_BIGINT = -(2n ** 63n);
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

export const dateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'RFC 3339, UTC.',
  serialize: (value) => (value as Date).toISOString(),
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(stringOf(node)),
});

export const dateScalar = new GraphQLScalarType<string, string>({
  name: 'Date',
  description: 'ISO 8601 calendar date.',
  serialize: (value) => value as string,
  parseValue: parseDate,
  parseLiteral: (node) => parseDate(stringOf(node)),
});

export const bigIntScalar = new GraphQLScalarType<bigint, string>({
  name: 'BigInt',
  description: 'An integer of up to 64 bits, always given as a decimal string; accepts a string or a safe integer.',
  serialize: (value) => String(value),
  parseValue: parseBigInt,
  parseLiteral: (node) => (node.kind === Kind.INT ? parseBigInt(node.value) : parseBigInt(stringOf(node))),
});

function parseDateTime(value: unknown): Date {
  if (typeof value === 'string' && RFC_3339.test(value)) {
    const moment = new Date(value);
    const year = moment.getUTCFullYear();
    if (year >= 1 && year <= 9_999 && isCalendarDay(value.slice(0, 10))) return moment;
  }
  throw refusal(value, 'a moment such as 2026-03-31T12:00:00Z');
}

function parseDate(value: unknown): string {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && isCalendarDay(value)) return value;
  throw refusal(value, 'a date such as 2026-03-31');
}

function parseBigInt(value: unknown): bigint {
  const isNumber = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
  if (isNumber || (typeof value === 'string' && /^-?\d{1,20}$/.test(value))) {
    const integer = BigInt(value);
    if (integer >= MIN_BIGINT && integer <= MAX_BIGINT) return integer;
  }
  throw refusal(value, 'an integer of up to 64 bits, as a decimal string');
}

/** Date takes 31 April for 1 May; a calendar does not. */
function isCalendarDay(date: string): boolean {
  const moment = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(date);
}

function stringOf(node: ValueNode): string {
  if (node.kind === Kind.STRING) return node.value;
  throw refusal(node.kind, 'a string');
}

function refusal(value: unknown, wanted: string): GraphQLError {
  const shown = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? typeof value);
  return new GraphQLError(`${shown.slice(0, 60)} is not ${wanted}.`, { extensions: { code: 'BAD_REQUEST' } });
}
