// Reads MT940 statements: pages put together (:60M:, :62M:), one statement after another, each with the balances that
// have to add up.

import { isCurrency } from '../money.js';
import {
  accountNumberOf,
  type Decoded,
  type DecodedEntry,
  type DecodedStatement,
  type EntryFault,
} from './decoded-statement.js';
import { type SwiftBalance, swiftBalance, swiftEntry, swiftInformation } from './mt940-entry.js';
import { type SwiftField, type SwiftMessage, swiftMessages } from './mt940-message.js';

/** A page as it is read; several make a statement. */
interface Page {
  readonly line: number;
  readonly account: string;
  readonly opening: SwiftBalance;
  readonly closing: SwiftBalance;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly fields: readonly SwiftField[];
}

/** The statements of MT940 text. @throws {StatementFault} where the text is none. */
export async function* decodeMt940(chunks: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Decoded> {
  let pages: Page[] = [];
  let count = 0;
  for await (const message of swiftMessages(chunks)) {
    count += 1;
    const page = pageOf(message);
    if (typeof page === 'string') {
      const records = Math.max(1, message.fields.filter(({ tag }) => tag === '61').length);
      yield { kind: 'refused', line: message.line, reason: page, records };
      continue;
    }
    const before = pages.at(-1);
    if (before && !continues(page, before)) {
      yield { kind: 'statement', ...statementOf(pages) };
      pages = [];
    }
    pages.push(page);
    if (page.isLast) {
      yield { kind: 'statement', ...statementOf(pages) };
      pages = [];
    }
  }
  if (pages.length > 0) yield { kind: 'statement', ...statementOf(pages) };
  if (count === 0) yield { kind: 'refused', line: 0, reason: 'The file has no field of an MT940 statement in it.' };
}

const continues = (page: Page, before: Page): boolean =>
  !page.isFirst &&
  page.account === before.account &&
  page.opening.currency === before.opening.currency &&
  page.opening.minor === before.closing.minor;

/** The page that a message is, or why it is none. */
function pageOf({ fields }: SwiftMessage): Page | string {
  const [account, ...accounts] = fields.filter(({ tag }) => tag === '25' || tag === '25P');
  const [opening, ...openings] = fields.filter(({ tag }) => tag === '60F' || tag === '60M');
  const [closing, ...closings] = fields.filter(({ tag }) => tag === '62F' || tag === '62M');
  const lacks = [
    !account && 'account (:25:)',
    !opening && 'opening balance (:60F:)',
    !closing && 'closing balance (:62F:)',
  ].filter((lack) => lack !== false);
  if (!account || !opening || !closing)
    return `The message has no ${lacks.join(' and no ')}, so it is no MT940 statement.`;
  if (accounts.length + openings.length + closings.length > 0) {
    return 'The message has an account (:25:) or a balance (:60F:, :62F:) twice; it is damaged, or two messages in one.';
  }
  const opens = swiftBalance(opening);
  if (typeof opens === 'string') return opens;
  const closes = swiftBalance(closing, opens.currency);
  if (typeof closes === 'string') return closes;
  const { currency } = opens;
  if (!isCurrency(currency)) return `"${currency}" is no ISO 4217 currency.`;
  if (closes.currency !== currency) return `The statement opens in ${currency} and closes in ${closes.currency}.`;
  const given = (account.lines[0] ?? '').trim();
  // Some banks put the currency behind the number.
  const number = accountNumberOf(given.replace(new RegExp(`(?<=\\d)\\s*${currency}$`), ''));
  if (number === undefined) return `:25: "${given.slice(0, 40)}" names no account of 64 letters and digits at most.`;
  return {
    line: opening.line,
    account: number,
    opening: opens,
    closing: closes,
    isFirst: opening.tag === '60F',
    isLast: closing.tag === '62F',
    fields: fields.slice(fields.indexOf(opening) + 1, fields.indexOf(closing)),
  };
}

function statementOf(pages: readonly Page[]): DecodedStatement {
  const [first, last] = [pages[0], pages.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('A statement has a page.');
  const { line, account, opening } = first;
  const { currency } = opening;
  const entries: DecodedEntry[] = [];
  const faults: EntryFault[] = [];
  for (const page of pages) {
    for (const [field, information] of entriesOf(page.fields)) {
      const read = decodedEntry(field, information, currency, opening.date, last.closing.date);
      if ('reason' in read) faults.push(read);
      else entries.push(read);
    }
  }
  const lacking = [!first.isFirst && 'first', !last.isLast && 'last'].filter((page) => page !== false);
  const unfinished = `The statement lacks its ${lacking.join(' and its ')} page (:60F: or :62F:).`;
  const whole = { line, account, currency, entries, faults, opening, closing: last.closing };
  return lacking.length === 0 ? whole : { ...whole, unfinished };
}

/** Each :61: with the :86: or :NS: that follow it. */
function entriesOf(fields: readonly SwiftField[]): [SwiftField, SwiftField[]][] {
  const found: [SwiftField, SwiftField[]][] = [];
  for (const field of fields) {
    if (field.tag === '61') found.push([field, []]);
    else if (field.tag === '86' || field.tag === 'NS') found.at(-1)?.[1].push(field);
  }
  return found;
}

function decodedEntry(
  field: SwiftField,
  information: readonly SwiftField[],
  currency: string,
  from: string,
  to: string,
): DecodedEntry | EntryFault {
  const { line } = field;
  const entry = swiftEntry(field, currency);
  if ('reason' in entry) return { line, ...entry };
  // Without an entry date, a value date outside the statement is no booking date: it was booked when that closed.
  const date = entry.bookedOn ?? (entry.valuedOn >= from && entry.valuedOn <= to ? entry.valuedOn : to);
  const told = [swiftInformation(information), entry.details, entry.ownReference];
  const description = told
    .filter((text, at) => text !== '' && !told.slice(0, at).some((other) => other.includes(text)))
    .join('; ');
  // Numbers that banks use again on other days tell entries apart only beside their date.
  const reference = entry.bankReference && `${date}/${entry.bankReference}`;
  return {
    line,
    date,
    minor: entry.minor,
    description: description.slice(0, 500) || (entry.kind ?? ''),
    kind: entry.kind,
    reference,
    balance: null,
  };
}
