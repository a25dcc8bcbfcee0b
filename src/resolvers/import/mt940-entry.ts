// The fields of an MT940 statement that hold money: balances (:60F:, :62F:) and entries (:61:) with what :86: tells of
// them, in the variants that banks write.

import { InvalidMoney } from '../money.js';
import { minorOf } from './amount-text.js';
import type { DecodedBalance } from './decoded-statement.js';
import type { SwiftField } from './mt940-message.js';
import { swiftDay, swiftEntryDay } from './statement-date.js';
import { plainText } from './text-file.js';

export interface SwiftBalance extends DecodedBalance {
  readonly currency: string;
}

/** A balance field, or why it is none; `otherwise` is its currency where it names none, as some closing balances do. */
export function swiftBalance({ line, tag, lines }: SwiftField, otherwise = ''): SwiftBalance | string {
  const text = (lines[0] ?? '').trim();
  const [, mark, day = '', named, amount = ''] = /^([CD])(\d{6})([A-Z]{3})?([\d.,]{1,40})$/.exec(text) ?? [];
  const currency = named ?? otherwise;
  if (mark === undefined)
    return `:${tag}: "${text.slice(0, 40)}" is no balance; it reads C or D, YYMMDD, currency, amount.`;
  const date = swiftDay(day);
  if (date === undefined) return `:${tag}: has the date ${day}, which is no day of the calendar.`;
  try {
    const minor = swiftMinor(amount, currency);
    return { line, date, currency, minor: mark === 'D' ? -minor : minor };
  } catch (error) {
    if (error instanceof InvalidMoney) return `:${tag}: ${error.message}`;
    throw error;
  }
}

export interface SwiftEntry {
  readonly line: number;
  readonly minor: bigint;
  /** The entry date; undefined when the bank gives the value date alone. */
  readonly bookedOn: string | undefined;
  readonly valuedOn: string;
  /** Such as NTRF. */
  readonly kind: string | null;
  /** The account owner's reference and what stands below it. */
  readonly ownReference: string;
  readonly details: string;
  readonly bankReference: string | undefined;
}

/** An entry field, or why it is none; `date` is what can be said of its day nevertheless. */
export function swiftEntry(
  { line, lines }: SwiftField,
  currency: string,
): SwiftEntry | { readonly reason: string; readonly date: string | undefined } {
  const [text = '', ...more] = lines;
  const found = /^\s?(\d{6})(\d{4})?(RC|RD|C|D)([A-Z])?([\d.,]{1,40})(?:([A-Z][A-Z0-9 ]{3})(.*))?$/s.exec(
    text.trimEnd(),
  );
  const [, value = '', entry, mark = '', , amount = '', kind = '', references = ''] = found ?? [];
  const valuedOn = swiftDay(entry === undefined ? value || text.slice(0, 6) : value.replace(/0230$|0229$/, '0228'));
  const bookedOn = valuedOn && entry ? swiftEntryDay(entry, valuedOn) : undefined;
  const date = entry === undefined ? valuedOn : bookedOn;
  if (found === null) {
    return {
      date,
      reason: `:61: "${text.slice(0, 40)}" is no entry; it reads YYMMDD, MMDD, C or D, amount, type and reference.`,
    };
  }
  if (valuedOn === undefined)
    return { date, reason: `:61: has the value date ${value}, which is no day of the calendar.` };
  if (entry !== undefined && bookedOn === undefined) {
    return { date: undefined, reason: `:61: has the entry date ${entry}, which is no day of the calendar.` };
  }
  try {
    const minor = swiftMinor(amount, currency);
    const [own = '', bank = ''] = references.split(/\/\/(.*)/s);
    return {
      line,
      // A reversed credit takes away, a reversed debit gives back.
      minor: mark === 'C' || mark === 'RD' ? minor : -minor,
      bookedOn,
      valuedOn,
      kind: kind.trim() || null,
      ownReference: told(own),
      details: plainText(more.join(' '), 200),
      bankReference: told(bank) || undefined,
    };
  } catch (error) {
    if (error instanceof InvalidMoney) return { date, reason: `:61: ${error.message}` };
    throw error;
  }
}

/** What :86: says, its subfields (?00 to ?63) put in words where it has such; several fields count as one. */
export function swiftInformation(fields: readonly SwiftField[]): string {
  const told = fields.map(({ tag, lines }) => (tag === 'NS' ? numberedInformation(lines) : informationOf(lines)));
  return plainText(told.filter((text) => text !== '').join(' '), 500);
}

/** Of :NS:, whose lines begin with two digits: purposes (01 to 14), names (15, 16) and the kind of booking (17). */
function numberedInformation(lines: readonly string[]): string {
  const between = (from: number, to: number) =>
    lines
      .filter((line) => /^\d{2}/.test(line) && Number(line.slice(0, 2)) >= from && Number(line.slice(0, 2)) <= to)
      .map((line) => line.slice(2).replaceAll(/\s+/g, ' ').trim())
      .join(' ');
  return [between(17, 17), between(15, 16), between(1, 14)].filter((text) => text !== '').join('; ');
}

function informationOf(lines: readonly string[]): string {
  const joined = lines.join('');
  const [, sign] = /^\s?\d{3}\s?([?>~<^@+|])\d{2}/.exec(joined) ?? [];
  if (sign === undefined) {
    return unwrapped(lines);
  }
  const parts = new Map<number, string>();
  for (const part of joined.split(sign).slice(1)) {
    const code = /^\d{2}/.exec(part);
    if (code) parts.set(Number(code[0]), (parts.get(Number(code[0])) ?? '') + part.slice(2));
    // A sign that no number follows is part of the text.
    else {
      const last = [...parts.keys()].at(-1);
      if (last !== undefined) parts.set(last, `${parts.get(last) ?? ''}${sign}${part}`);
    }
  }
  const between = (from: number, to: number) =>
    [...parts]
      .filter(([code]) => code >= from && code <= to)
      .sort(([a], [b]) => a - b)
      .map(([, text]) => text)
      .join('');
  const told = [parts.get(0) ?? '', between(32, 33), between(20, 29) + between(60, 63)].map((text) =>
    text.replaceAll(/\s+/g, ' ').trim(),
  );
  return told.filter((text) => text !== '').join('; ');
}

/** Lines are cut at 65 characters, tag included, in the midst of a word; a shorter one ends where the bank meant it to. */
function unwrapped(lines: readonly string[]): string {
  const isFull = (at: number) => (lines[at]?.length ?? 0) + (at === 0 ? ':86:'.length : 0) >= 65;
  const text = lines.reduce((told, line, at) => `${told}${at === 0 || isFull(at - 1) ? '' : ' '}${line}`, '');
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** The comma is the standard's; some banks write a point, or leave it out with the decimals. */
function swiftMinor(amount: string, currency: string): bigint {
  if (!/^\d+(?:[.,]\d*)?$/.test(amount))
    throw new InvalidMoney(`"${amount.slice(0, 40)}" is no amount; write 1234,50.`);
  return minorOf(amount.replace('.', ','), currency, ',');
}

const told = (reference: string): string =>
  /^NONREF\b|^NOREF\b/i.test(reference.trim()) ? '' : plainText(reference, 200);
