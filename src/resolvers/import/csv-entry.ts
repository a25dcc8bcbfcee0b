// What a row of a delimited statement says, once the whole file has shown how it writes days and decimals.

import { InvalidMoney } from '../money.js';
import { type DecimalMark, decimalMarkOf, minorOf } from './amount-text.js';
import type { CsvLayout, CsvRole } from './csv-columns.js';
import type { CsvRow } from './csv-rows.js';
import type { DecodedEntry, EntryFault } from './decoded-statement.js';
import { calendarDay } from './statement-date.js';
import { plainText } from './text-file.js';

/** How the file writes what could be written in several ways. */
export interface CsvStyle {
  readonly order: 'ymd' | 'dmy' | 'mdy';
  readonly mark: DecimalMark | undefined;
  /** Whether the column for the type of entry says debit or credit. */
  readonly typeIsDirection: boolean;
}

export const cellOf = ({ columns }: CsvLayout, { cells }: CsvRow, role: CsvRole): string =>
  cells[columns.get(role)?.[0] ?? -1] ?? '';

/** The style of the rows, or why it cannot be told. */
export function csvStyleOf(layout: CsvLayout, rows: readonly CsvRow[]): CsvStyle | string {
  const dates = rows.map((row) => cellOf(layout, row, 'date')).filter((cell) => /\d/.test(cell));
  const orders = (['ymd', 'dmy', 'mdy'] as const).map((order) => {
    const read = dates.filter((cell) => csvDay(cell, order) !== undefined).length;
    return { order, read };
  });
  const most = Math.max(...orders.map(({ read }) => read));
  const [best, other] = orders.filter(({ read }) => read === most);
  const isDotted = dates.some((cell) => /^\d+\.\d+\./.test(cell));
  const order = other === undefined || layout.dayFirst || isDotted ? best?.order : undefined;
  if (order === undefined && most > 0 && dates.some((cell) => csvDay(cell, 'dmy') !== csvDay(cell, 'mdy'))) {
    return `The dates, such as ${dates[0]}, could put the day or the month first; write them as YYYY-MM-DD.`;
  }
  const money = (['amount', 'debit', 'credit', 'balance'] as const).flatMap((role) =>
    rows.map((row) => decimalMarkOf(bare(cellOf(layout, row, role)).text)),
  );
  const marks = [...new Set(money)].filter((mark) => mark !== undefined);
  const types = rows.map((row) => cellOf(layout, row, 'type')).filter((cell) => cell !== '');
  const typeIsDirection = types.length > 0 && types.every((cell) => directionOf(cell) !== undefined);
  const unsigned = typeIsDirection ? undefined : rows.find((row) => isUnsignedDebit(layout, row));
  if (unsigned !== undefined) {
    return `Line ${unsigned.line} is a debit by its type, but its amount has no sign, and other types say neither debit nor credit.`;
  }
  return { order: order ?? 'dmy', mark: marks.length === 1 ? marks[0] : undefined, typeIsDirection };
}

function isUnsignedDebit(layout: CsvLayout, row: CsvRow): boolean {
  if (layout.columns.has('direction') || directionOf(cellOf(layout, row, 'type')) !== 'debit') return false;
  return (
    /^[^-−–(]*[1-9][^-−–)]*$/.test(cellOf(layout, row, 'amount')) && !bare(cellOf(layout, row, 'amount')).isNegative
  );
}

/** The day that a cell begins with, a time after it aside. */
export function csvDay(cell: string, order: CsvStyle['order']): string | undefined {
  const text = cell.trim().replace(/[ T]+\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?(?: ?[AP]M|Z|[+-]\d\d:?\d\d)?$/i, '');
  const compact = /^(\d{4})(\d\d)(\d\d)$/.exec(text);
  const iso = compact ?? /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/.exec(text);
  if (iso)
    return order === 'ymd' || compact || text.includes('-')
      ? calendarDay(iso[1] ?? '', iso[2] ?? '', iso[3] ?? '')
      : undefined;
  const [, first = '', second = '', year = ''] = /^(\d{1,2})[-/.](\d{1,2})[-/.](\d{2}|\d{4})$/.exec(text) ?? [];
  if (first === '' || order === 'ymd') return undefined;
  const full = year.length === 2 ? `20${year}` : year;
  return order === 'dmy' ? calendarDay(full, second, first) : calendarDay(full, first, second);
}

/** The entry of a row, or why there is none. */
export function csvEntry(layout: CsvLayout, style: CsvStyle, row: CsvRow, currency: string): DecodedEntry | EntryFault {
  const { line } = row;
  const day = cellOf(layout, row, 'date');
  const date = csvDay(day, style.order);
  try {
    if (date === undefined) return { line, date, reason: `The date "${day.slice(0, 40)}" is no day of the calendar.` };
    const minor = amountOf(layout, style, row, currency);
    if (typeof minor === 'string') return { line, date, reason: minor };
    const fee = cellOf(layout, row, 'fee');
    if (fee !== '' && signedMinor(fee, currency, style.mark) !== 0n) {
      return { line, date, reason: `The row has a fee of ${fee}; whether its amount holds the fee cannot be told.` };
    }
    const listed = cellOf(layout, row, 'balance');
    const balance = listed === '' ? null : signedMinor(listed, currency, style.mark);
    const description = descriptionOf(layout, row);
    const type = style.typeIsDirection ? '' : cellOf(layout, row, 'type');
    const kind = plainText(type, 100) || null;
    const reference = cellOf(layout, row, 'id') || undefined;
    return { line, date, minor, description: description || (kind ?? ''), kind, reference, balance };
  } catch (error) {
    if (error instanceof InvalidMoney) return { line, date, reason: error.message };
    throw error;
  }
}

/** Everything that the row tells in words. */
export function descriptionOf({ columns }: CsvLayout, { cells }: CsvRow): string {
  const places = [...(columns.get('description') ?? []), ...(columns.get('document') ?? [])];
  const texts = places.map((at) => plainText(cells[at] ?? '', 500)).filter((text) => /[^0]/.test(text));
  return plainText([...new Set(texts)].join('; '), 500);
}

function amountOf(layout: CsvLayout, style: CsvStyle, row: CsvRow, currency: string): bigint | string {
  const { mark } = style;
  const named = directionOf(
    cellOf(layout, row, 'direction') || (style.typeIsDirection ? cellOf(layout, row, 'type') : ''),
  );
  const amount = cellOf(layout, row, 'amount');
  if (layout.columns.has('amount')) {
    if (amount === '') return 'The row has no amount.';
    const minor = signedMinor(amount, currency, mark);
    if (named === undefined && layout.columns.has('direction'))
      return 'The row does not say whether it is a debit or a credit.';
    if (named === 'credit' && minor < 0n)
      return `The row is a credit of ${amount}; its direction and its sign contradict each other.`;
    return named === 'debit' && minor > 0n ? -minor : minor;
  }
  const [debit, credit] = (['debit', 'credit'] as const).map((role) => {
    const cell = cellOf(layout, row, role);
    return cell === '' || cell === '-' ? undefined : signedMinor(cell, currency, mark);
  });
  if (debit === undefined && credit === undefined) return 'The row has neither a debit nor a credit.';
  if ((debit ?? 0n) !== 0n && (credit ?? 0n) !== 0n)
    return 'The row has a debit and a credit; an entry is one of them.';
  if ((credit ?? 0n) < 0n) return 'The row has a negative credit; its column and its sign contradict each other.';
  const taken = debit ?? 0n;
  return (credit ?? 0n) - (taken < 0n ? -taken : taken);
}

function signedMinor(cell: string, currency: string, mark: DecimalMark | undefined): bigint {
  const { text, isNegative } = bare(cell);
  const minor = minorOf(text, currency, mark);
  return isNegative && minor > 0n ? -minor : minor;
}

/** The number of a cell without its currency, the brackets of a negative one, and the letter of a debit or credit. */
function bare(cell: string): { text: string; isNegative: boolean } {
  let text = cell.trim();
  const bracketed = /^\((.*)\)$/.exec(text)?.[1];
  const lettered = /^(.*\d)\s*(?:\b|(?<=\d))(D|C|DB|CR|DR|S|H)$/i.exec(bracketed ?? text);
  text = (lettered?.[1] ?? bracketed ?? text).replaceAll(/R\$|[€£$]|\b[A-Z]{3}\b/g, '').trim();
  const isDebit = lettered !== null && directionOf(lettered[2] ?? '') === 'debit';
  return { text, isNegative: isDebit || bracketed !== undefined };
}

function directionOf(cell: string): 'debit' | 'credit' | undefined {
  if (/^(?:d|db|dr|dbit|deb|d[eé]bito?|saída|saida|s|soll|-|withdrawal)$/i.test(cell.trim())) return 'debit';
  return /^(?:c|cr|crdt|cred|cr[eé]dito?|entrada|h|haben|\+|deposit)$/i.test(cell.trim()) ? 'credit' : undefined;
}
