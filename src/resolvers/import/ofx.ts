// Reads OFX statements of bank accounts and cards as Brazilian and other banks write them: amounts with a comma or a
// point, dates with or without an offset, zeros for what is not known, balances among the entries.

import { InvalidMoney, isCurrency } from '../money.js';
import { minorOf } from './amount-text.js';
import {
  accountNumberOf,
  type Decoded,
  type DecodedBalance,
  type DecodedEntry,
  type EntryFault,
  isBalanceLine,
} from './decoded-statement.js';
import { MarkupReader } from './markup.js';
import { type OfxEntry, type OfxFrame, OfxReader, type OfxStatement, type OfxValues } from './ofx-aggregates.js';
import { ofxDay } from './statement-date.js';
import { plainText } from './text-file.js';

export interface OfxOptions {
  /** For statements that name none; without it they are refused. */
  readonly currency?: string | undefined;
  /** In which a moment with an offset becomes a day. */
  readonly timeZoneOf: (account: string) => Promise<string>;
}

/** The statements of OFX text. @throws {StatementFault} where the text is no markup. */
export async function* decodeOfx(
  chunks: AsyncIterable<string> | Iterable<string>,
  options: OfxOptions,
): AsyncGenerator<Decoded> {
  const markup = new MarkupReader();
  const reader = new OfxReader();
  let count = 0;
  for await (const chunk of chunks) {
    for (const token of markup.push(chunk)) reader.take(token);
    for (const statement of reader.taken()) {
      count += 1;
      yield* decoded(statement, reader.madeAt, options);
    }
  }
  for (const token of markup.end()) reader.take(token);
  const frame = reader.end();
  for (const statement of reader.taken()) {
    count += 1;
    yield* decoded(statement, frame.madeAt, options);
  }
  for (const error of frame.errors) yield { kind: 'refused', line: error.line, reason: bankError(error) };
  if (count === 0 && frame.errors.length === 0) yield { kind: 'refused', line: 0, reason: nothingIn(frame) };
}

async function* decoded(
  statement: OfxStatement,
  madeAt: string | undefined,
  options: OfxOptions,
): AsyncGenerator<Decoded> {
  const { line, entries } = statement;
  const records = Math.max(1, entries.length);
  const currency = currencyOf(statement, options.currency);
  const account = accountNumberOf(statement.account?.values.get('ACCTID') ?? '');
  const reason = faultOf(statement, currency, account);
  if (reason !== undefined || currency === undefined || account === undefined) {
    yield { kind: 'refused', line, reason: reason ?? 'The statement cannot be read.', records };
    return;
  }
  const timeZone = await options.timeZoneOf(account);
  const dayOf = (text: string | undefined) => (text === undefined ? undefined : ofxDay(text, timeZone));
  const sound: DecodedEntry[] = [];
  const faults: EntryFault[] = [];
  for (const entry of entries) {
    const description = descriptionOf(entry);
    if (isBalanceLine(description)) {
      yield {
        kind: 'refused',
        line: entry.line,
        reason: `"${description}" lists a balance and moves nothing; it is left out.`,
      };
      continue;
    }
    const read = decodedEntry(entry, description, currency, dayOf);
    if ('reason' in read) faults.push(read);
    else sound.push(read);
  }
  const closing = balanceOf(statement.balance, currency, dayOf);
  if (typeof closing === 'string') {
    for (const fault of faults) yield { kind: 'refused', line: fault.line, reason: fault.reason };
    yield {
      kind: 'refused',
      line: statement.balance?.line ?? line,
      reason: closing,
      records: Math.max(1, sound.length),
    };
    return;
  }
  const from = dayOf(statement.range?.values.get('DTSTART'));
  const to = dayOf(statement.range?.values.get('DTEND'));
  const madeOn = dayOf(madeAt);
  yield {
    kind: 'statement',
    line,
    account,
    currency,
    entries: sound,
    faults,
    ...(closing && { closing }),
    ...(from !== undefined && to !== undefined && { covers: { from, to } }),
    ...(madeOn !== undefined && { madeOn }),
  };
}

/** Why nothing of the statement can be taken, if so. */
function faultOf(
  { kind, element, account: from, ended }: OfxStatement,
  currency: string | undefined,
  account: string | undefined,
): string | undefined {
  if (element === 'INVSTMTRS')
    return 'It is an investment statement (INVSTMTRS): securities have no place among accounts.';
  if (kind === 'other') return `It is a statement of another kind (${element}) than a bank account's or a card's.`;
  if (!ended) return `The statement breaks off before its end (</${element}>); get the file whole.`;
  if (currency === undefined) return 'The statement names no currency (CURDEF); give it with --currency.';
  if (!isCurrency(currency)) return `"${currency.slice(0, 10)}" is no ISO 4217 currency.`;
  if (account !== undefined) return undefined;
  return from?.values.has('ACCTID')
    ? 'The account number (ACCTID) has no letter or digit, or more than 64 characters.'
    : 'The statement names no account (ACCTID).';
}

/** CURDEF; where that is empty what all entries are in; else what was asked for. */
function currencyOf({ values, entries }: OfxStatement, otherwise: string | undefined): string | undefined {
  const named = values.get('CURDEF')?.toUpperCase();
  if (named !== undefined) return named;
  const [first, ...others] = new Set(entries.map(({ currency }) => currency?.toUpperCase()));
  return first === undefined || others.length > 0 ? otherwise : first;
}

type Days = (text: string | undefined) => string | undefined;

function decodedEntry(entry: OfxEntry, description: string, currency: string, dayOf: Days): DecodedEntry | EntryFault {
  const { line, values } = entry;
  const posted = values.get('DTPOSTED');
  const date = dayOf(posted);
  const fault = (reason: string): EntryFault => ({ line, reason, date });
  if (posted === undefined) return fault('The entry has no date (DTPOSTED).');
  if (date === undefined)
    return fault(`The date "${posted.slice(0, 40)}" is no day of the calendar written as YYYYMMDD.`);
  if (entry.currency !== undefined && entry.currency.toUpperCase() !== currency) {
    return fault(`The entry is in "${entry.currency.slice(0, 10)}", but the account is in ${currency}.`);
  }
  const corrected = values.get('CORRECTFITID');
  if (corrected !== undefined) {
    return fault(
      `The entry corrects the entry ${corrected.slice(0, 40)}, which is not undone; restateBusinessDay can do that.`,
    );
  }
  const amount = values.get('TRNAMT');
  if (amount === undefined) return fault('The entry has no amount (TRNAMT).');
  const type = plainText(values.get('TRNTYPE') ?? '', 100).toUpperCase();
  try {
    const minor = minorOf(amount, currency);
    if ((type === 'DEBIT' && minor > 0n) || (type === 'CREDIT' && minor < 0n)) {
      return fault(`The entry is a ${type} of ${amount}; its type and its sign contradict each other.`);
    }
    const reference = values.get('FITID');
    return { line, date, minor, description, kind: type || null, reference, balance: null };
  } catch (error) {
    if (error instanceof InvalidMoney) return fault(error.message);
    throw error;
  }
}

/** Name and memo, or whichever says more; the type where there is neither. */
function descriptionOf({ values, payee }: OfxEntry): string {
  const name = plainText(values.get('NAME') ?? payee ?? '', 500);
  const memo = plainText(values.get('MEMO') ?? '', 500);
  if (memo.startsWith(name)) return memo || plainText(values.get('TRNTYPE') ?? '', 500);
  return name.startsWith(memo) ? name : plainText(`${name}: ${memo}`, 500);
}

/** The balance with its date; undefined when either is left empty or zero, a sentence when one cannot be read. */
function balanceOf(given: OfxValues | undefined, currency: string, dayOf: Days): DecodedBalance | undefined | string {
  const amount = given?.values.get('BALAMT');
  const asOf = given?.values.get('DTASOF');
  if (given === undefined || amount === undefined || asOf === undefined || /^0+$/.test(asOf)) return undefined;
  const date = dayOf(asOf);
  if (date === undefined) return `The date of the balance, "${asOf.slice(0, 40)}", is no day of the calendar.`;
  try {
    return { line: given.line, minor: minorOf(amount, currency), date };
  } catch (error) {
    if (error instanceof InvalidMoney) return `The balance cannot be read: ${error.message}`;
    throw error;
  }
}

function bankError({ values }: OfxValues): string {
  const message = plainText(values.get('MESSAGE') ?? '', 200);
  return `The bank answered with error ${plainText(values.get('CODE') ?? '', 20)}${message && `: ${message}`}`;
}

function nothingIn({ sets, ended }: OfxFrame): string {
  if (!ended) return 'The file has no statement, and breaks off before its end (</OFX>).';
  const others = [...new Set(sets)].slice(0, 5).join(', ');
  return `The file has no statement of an account or a card (STMTRS, CCSTMTRS)${others && `, only ${others}`}.`;
}
