// One domain as the run reads and writes it: the GraphQL that reads many of its keys in one request, the mutations that give
// one key a value, and the SQL by which psql does so.
import type postgres from 'postgres';
import type { GraphQLAnswer } from './gateway-process.js';
import type { Answer } from './violation.js';
import { isRecord } from './wire.js';

export interface Operation {
  readonly query: string;
  readonly variables: object;
}

/** What became of one key; undefined where the answer has an error in its place. */
export type Answers = readonly (Answer | undefined)[];

export interface Domain {
  readonly name: string;
  /** Keys that are read together. */
  readonly batches: readonly (readonly string[])[];
  /** Whether a key's values come again, and its answers show no version. */
  readonly repeats: boolean;
  readonly first: string | null;
  readonly read: (keys: readonly string[]) => Operation;
  readonly answers: (answer: GraphQLAnswer, keys: readonly string[]) => Answers;
  /** A mutation that gives the key this value; null takes it away. Undefined where the domain has none. */
  readonly write: (key: string, value: string | null, random: () => number) => Operation | undefined;
  /** Another value for a new one. */
  readonly spell: (serial: number, random: () => number) => string | null;
  /** The row that psql changes, and the entry whose version counts. Undefined: psql leaves it alone. */
  readonly edit?: (sql: postgres.Sql, key: string, value: string) => Promise<number>;
  readonly entry: (key: string) => { readonly view: string; readonly key: string };
  /** What SQL holds, by key. */
  readonly stored: (sql: postgres.Sql) => Promise<ReadonlyMap<string, string | null>>;
  /** Makes what the first values stand in. */
  readonly seed: (sql: postgres.Sql) => Promise<void>;
}

export const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => `${prefix}${at}`);
const RECEIPT = 'receipt { changeId version visible } } ... on UserError { code message }';
/** A mutation whose payload has a receipt. */
export const mutation = (args: string, call: string, payload: string) =>
  `mutation(${args}) { write: ${call} { __typename ... on ${payload} { ${RECEIPT} } }`;

/** The key as the checker knows it. */
export const checkedKey = (domain: Pick<Domain, 'name'>, key: string) => `${domain.name}:${key}`;

/** Such as a menu that is deleted at the moment. */
export class NothingToEdit extends Error {
  override readonly name = 'NothingToEdit';
}

/** Runs an edit in one transaction; resolves to the version that it gave the entry, which is only then committed. */
export async function edited(
  sql: postgres.Sql,
  { view, key }: { view: string; key: string },
  change: (tx: postgres.TransactionSql) => Promise<void>,
): Promise<number> {
  return sql.begin(async (tx) => {
    await change(tx);
    const [row] = await tx<{ version: string }[]>`SELECT version FROM entry WHERE view = ${view} AND key = ${key}`;
    return Number(row?.version);
  });
}

export function recordsIn(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** `list/member`, `environment/flag`: the two halves of a key. */
export function placeOf(key: string): { readonly outer: string; readonly inner: string } {
  const [outer = '', inner = ''] = key.split('/');
  return { outer, inner };
}
