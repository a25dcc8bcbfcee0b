// Amounts as files write them: decimal comma or point, thousands separators, padding, a sign on either side. What could
// be read in two ways is refused: a guess at a separator is a wrong amount a thousand times over.

import { exponentOf, InvalidMoney, parseMinor } from '../money.js';

/** What separates decimals, where a file has shown it elsewhere. */
export type DecimalMark = ',' | '.';

/**
 * The minor units that `text` says in `currency`: `-1.234,50` and `-1,234.50` are both -123450n in BRL.
 *
 * With both separators, the last one is the decimal one. One separator that repeats groups thousands. One that stands
 * once is decimal, unless three digits follow it in a currency that has no three decimals: then only `mark` can tell,
 * and without it the amount is refused. Zeros beyond the decimals of the currency say nothing and fall away; any other
 * digit there is refused.
 * @throws {InvalidMoney} on text that is no amount, that is ambiguous, that does not fit the currency, or 64 bits.
 */
export function minorOf(text: string, currency: string, mark?: DecimalMark): bigint {
  const exponent = exponentOf(currency);
  if (text.length > MAX_LENGTH) throw new InvalidMoney(`The amount is ${text.length} characters long; it is none.`);
  const found = signed.exec(text.trim());
  const [, leading = '', digits = '', trailing = ''] = found ?? [];
  if (found === null || (leading !== '' && trailing !== '') || !/\d/.test(digits)) throw noAmount(text);
  const negative = `${leading}${trailing}` !== '' && `${leading}${trailing}` !== '+';
  const { whole, fraction } = split(digits, exponent, mark, text);
  const spare = fraction.slice(exponent);
  const kept = /^0*$/.test(spare) ? fraction.slice(0, exponent) : fraction;
  if (kept.length > exponent) {
    throw new InvalidMoney(
      `"${text.trim()}" has more than the ${exponent} decimals of ${currency}; amounts are not rounded.`,
    );
  }
  return parseMinor(`${negative ? '-' : ''}${whole || '0'}${kept === '' ? '' : `.${kept}`}`, currency);
}

/** The decimal separator that `text` shows beyond doubt, if it does. */
export function decimalMarkOf(text: string): DecimalMark | undefined {
  const [, , digits = ''] = signed.exec(text.trim()) ?? [];
  const marks = [...digits.matchAll(/[.,]/g)].map(([mark]) => mark);
  const last = marks.at(-1);
  if (last !== ',' && last !== '.') return undefined;
  const other = last === ',' ? '.' : ',';
  if (marks.length > 1) return marks.filter((mark) => mark === last).length === 1 ? last : other;
  return digits.length - digits.lastIndexOf(last) === 4 ? undefined : last;
}

/** Long enough for the zeros that banks pad with. */
const MAX_LENGTH = 100;

const signed = /^([+\-−]?)\s*(\d[\d.,'’ \u00a0\u202f]*|[.,]\d+)([+\-−]?)$/u;

const noAmount = (text: string) =>
  new InvalidMoney(
    `${JSON.stringify(text.slice(0, 40).trim())} is no amount; write digits and decimals, such as 1234.50.`,
  );

function split(digits: string, exponent: number, mark: DecimalMark | undefined, text: string) {
  const compact = digits.trimEnd();
  const last = Math.max(compact.lastIndexOf(','), compact.lastIndexOf('.'));
  if (last === -1) return { whole: ungrouped(compact, /['’ \u00a0\u202f]/gu, text), fraction: '' };
  const sign = compact.charAt(last);
  const before = compact.slice(0, last);
  const after = compact.slice(last + 1);
  if (!/^\d*$/.test(after)) throw noAmount(text);
  const others = before.replaceAll(/\d/g, '');
  if (others.includes(sign)) {
    // The same separator twice groups thousands, and nothing else may stand between them.
    if (mark === sign || after.length !== 3) throw noAmount(text);
    return { whole: ungrouped(compact, sign === ',' ? /,/g : /\./g, text), fraction: '' };
  }
  if (others !== '') {
    if (new Set(others).size > 1 || (mark !== undefined && mark !== sign)) throw noAmount(text);
    return {
      whole: ungrouped(before, others.charAt(0) === '.' ? /\./g : /[,'’ \u00a0\u202f]/gu, text),
      fraction: after,
    };
  }
  if (mark !== undefined && mark !== sign) {
    if (after.length !== 3 || !/^\d{1,3}$/.test(before)) throw noAmount(text);
    return { whole: before + after, fraction: '' };
  }
  if (mark === undefined && after.length === 3 && exponent !== 3 && before !== '' && !/^0/.test(before)) {
    throw new InvalidMoney(
      `"${text.trim()}" could mean ${before + after} or ${before}.${after}; write the decimals of the currency.`,
    );
  }
  return { whole: before, fraction: after };
}

/** The digits without their separators, each of which three digits must follow. */
function ungrouped(grouped: string, separator: RegExp, text: string): string {
  const [, ...groups] = grouped.split(separator);
  if (groups.some((group) => group.length !== 3)) throw noAmount(text);
  const whole = grouped.replaceAll(separator, '');
  if (!/^\d*$/.test(whole)) throw noAmount(text);
  return whole;
}
