// The rows of the Berka files as they are written: semicolons, quoted text, dates YYMMDD of the last century, amounts
// with a decimal point. A row is read whole or refused with a reason; nothing in it is guessed.

import { InvalidMoney, parseMinor } from '../money.js';
import type { StatementTransaction } from './statement-record.js';

export type BerkaKind = 'account' | 'disp' | 'trans';

/** What the first line says of a file: one of the kinds read here, or why nothing of it is. */
export function berkaKindOf(header: string): { kind: BerkaKind } | { kind: 'refused'; reason: string } {
  const names = fieldsOf(header)?.join(';') ?? '';
  for (const kind of ['account', 'disp', 'trans'] as const) {
    if (names === columns[kind].join(';')) return { kind };
  }
  const placeless = placelessFiles.get(names.split(';')[0] ?? '');
  const reason = placeless
    ? `The file lists ${placeless}, which have no place among accounts and statements; leave it out.`
    : 'The first line is not the header of account.asc, disp.asc or trans.asc; check the file and its format.';
  return { kind: 'refused', reason };
}

/** The account number of an `account.asc` row, or why the row is refused. */
export function accountRow(text: string): { number: string } | string {
  const fields = wholeRow(text, 'account');
  if (typeof fields === 'string') return fields;
  const [number = '', , , date = ''] = fields;
  if (!isId(number)) return notAnId('account_id', number);
  return dateOf(date) === undefined ? notADate(date) : { number };
}

export interface Disposition {
  readonly client: string;
  readonly account: string;
  readonly role: 'OWNER' | 'DISPONENT';
}

/** A client's right to an account, of a `disp.asc` row, or why the row is refused. */
export function dispositionRow(text: string): Disposition | string {
  const fields = wholeRow(text, 'disp');
  if (typeof fields === 'string') return fields;
  const [, client = '', account = '', role] = fields;
  if (!isId(client)) return notAnId('client_id', client);
  if (!isId(account)) return notAnId('account_id', account);
  if (role !== 'OWNER' && role !== 'DISPONENT') return `The type "${role}" is unknown; it is OWNER or DISPONENT.`;
  return { client, account, role };
}

export interface TransactionRow extends Omit<StatementTransaction, 'line'> {
  readonly account: string;
  /** `YYYY-MM-DD`. */
  readonly date: string;
}

/**
 * The transaction of a `trans.asc` row, or why the row is refused. The bank's Czech codes are kept.
 *
 * Type PRIJEM is a credit; VYDAJ is a debit, and so is VYBER, which the publication does not mention (651 rows).
 * Another type is refused, since its sign would be a guess. `kind` is `type/operation`, or the type alone when there is
 * no operation. `description` is `operation: k_symbol`, or whichever of them is given (credited interest has no
 * operation and reads `UROK`), or else the type; a k_symbol of one blank counts as empty.
 */
export function transactionRow(text: string, currency: string): TransactionRow | string {
  const fields = wholeRow(text, 'trans');
  if (typeof fields === 'string') return fields;
  const [externalId = '', account = '', day = '', type = '', operation = '', amount = '', listed = '', symbol = ''] =
    fields;
  if (!isId(externalId)) return notAnId('trans_id', externalId);
  if (!isId(account)) return notAnId('account_id', account);
  const date = dateOf(day);
  if (date === undefined) return notADate(day);
  const sign = signs.get(type);
  if (sign === undefined) return `The type "${type}" is unknown; it is PRIJEM, VYDAJ or VYBER.`;
  if (amount.startsWith('-')) return `The amount ${amount} is negative; its type alone says the direction.`;
  try {
    return {
      externalId,
      account,
      date,
      minor: sign * parseMinor(amount, currency),
      balance: parseMinor(listed, currency),
      kind: operation === '' ? type : `${type}/${operation}`,
      description: [operation, symbol].filter((part) => part !== '').join(': ') || type,
    };
  } catch (error) {
    if (error instanceof InvalidMoney) return error.message;
    throw error;
  }
}

/** The account and date that a `trans.asc` row begins with, even if the rest of it is damaged. */
export function placeOfTransaction(text: string): { account: string; date: string } | undefined {
  const [, account, day] = /^"?\d{1,15}"?;"?(\d{1,15})"?;"?(\d{6})"?(?:;|$)/.exec(text) ?? [];
  const date = day && dateOf(day);
  return account && date ? { account, date } : undefined;
}

/** Whether a first line is the header of any file of the publication, those without a place included. */
export function isBerkaHeader(header: string): boolean {
  const names = fieldsOf(header) ?? [];
  return berkaKindOf(header).kind !== 'refused' || placelessFiles.has(names[0] ?? '');
}

const columns: Readonly<Record<BerkaKind, readonly string[]>> = {
  account: ['account_id', 'district_id', 'frequency', 'date'],
  disp: ['disp_id', 'client_id', 'account_id', 'type'],
  trans: 'trans_id account_id date type operation amount balance k_symbol bank account'.split(' '),
};

/** The other files of the publication, told by their first column. */
const placelessFiles: ReadonlyMap<string, string> = new Map([
  ['order_id', 'standing orders'],
  ['loan_id', 'loans'],
  ['card_id', 'cards'],
  ['client_id', 'clients'],
  ['A1', 'districts'],
]);

const signs: ReadonlyMap<string, bigint> = new Map([
  ['PRIJEM', 1n],
  ['VYDAJ', -1n],
  ['VYBER', -1n],
]);

function wholeRow(text: string, kind: BerkaKind): string[] | string {
  const fields = fieldsOf(text)?.map((field) => field.trim());
  if (fields === undefined) return 'The row ends or breaks inside a quoted field; it was cut off or damaged.';
  const expected = columns[kind].length;
  if (fields.length === expected) return fields;
  return `The row has ${fields.length} fields where ${kind}.asc has ${expected}; it was cut off or damaged.`;
}

/** The fields between semicolons without their quotes, or undefined when the quotes do not pair. */
function fieldsOf(text: string): string[] | undefined {
  const fields: string[] = [];
  let rest = 0;
  while (rest <= text.length) {
    field.lastIndex = rest;
    const found = field.exec(text);
    if (found === null) return undefined;
    const [matched, quoted, bare = ''] = found;
    fields.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    // The end of the text ends the last field; a semicolon promises another one, even if nothing follows it.
    rest += matched.length + 1;
  }
  return fields;
}

const field = /(?:"((?:[^"]|"")*)"|([^";]*))(?=;|$)/y;

function isId(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}

function notAnId(column: string, text: string): string {
  return `The ${column} "${text}" is not a whole number of at most 15 digits.`;
}

/** `930331` as `1993-03-31`; undefined when the calendar has no such day. */
function dateOf(text: string): string | undefined {
  if (!/^\d{6}$/.test(text)) return undefined;
  const date = `19${text.slice(0, 2)}-${text.slice(2, 4)}-${text.slice(4)}`;
  const time = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== date ? undefined : date;
}

function notADate(text: string): string {
  return `The date "${text}" is not a day of the calendar written as YYMMDD.`;
}
