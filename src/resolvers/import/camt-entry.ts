// The balances and entries of a camt statement as they are written, every version of the message alike.

import { InvalidMoney } from '../money.js';
import { minorOf } from './amount-text.js';
import type { DecodedBalance } from './decoded-statement.js';
import { isoDay } from './statement-date.js';
import { plainText } from './text-file.js';
import { attributeOf, childAt, childrenOf, textAt, type XmlElement } from './xml-tree.js';

/** An amount with its direction, before its currency is known to be the account's. */
export interface CamtAmount {
  readonly line: number;
  readonly amount: string;
  readonly currency: string;
  readonly direction: string;
}

export interface CamtBalance extends CamtAmount {
  /** OPBD, CLBD and others; what is not booked counts for nothing here. */
  readonly type: string;
  /** Of a page in the midst of the statement. */
  readonly isIntermediate: boolean;
  readonly date: string | undefined;
}

export interface CamtEntry extends CamtAmount {
  /** BOOK, PDNG, INFO or the like. */
  readonly status: string;
  readonly bookedOn: string | undefined;
  readonly valuedOn: string | undefined;
  readonly dateFault: string | undefined;
  readonly description: string;
  readonly kind: string | null;
  readonly reference: string | undefined;
}

export function camtBalance(element: XmlElement, timeZone: string): CamtBalance {
  const type = childAt(element, 'Tp');
  const code = textAt(type, 'CdOrPrtry', 'Cd') || textAt(type, 'Cd') || textAt(type, 'CdOrPrtry', 'Prtry');
  const isIntermediate = textAt(type, 'SubTp', 'Cd') === 'INTM';
  return { ...amountOf(element), type: code, isIntermediate, date: dayOf(childAt(element, 'Dt'), timeZone) };
}

export function camtEntry(element: XmlElement, timeZone: string): CamtEntry {
  const [booking, value] = [childAt(element, 'BookgDt'), childAt(element, 'ValDt')];
  const bookedOn = dayOf(booking, timeZone);
  const wrong = booking && bookedOn === undefined ? booking.children[0]?.text || booking.text : undefined;
  // The first version of the message has no NtryDtls around them.
  const transactions = [element, ...childrenOf(element, 'NtryDtls')].flatMap((details) =>
    childrenOf(details, 'TxDtls'),
  );
  const [first] = transactions;
  const single = transactions.length === 1 ? first : undefined;
  return {
    ...amountOf(element),
    status: textAt(element, 'Sts', 'Cd') || textAt(element, 'Sts'),
    bookedOn,
    valuedOn: dayOf(value, timeZone),
    dateFault:
      wrong === undefined
        ? undefined
        : `The date "${wrong.slice(0, 40)}" is no day of the calendar written as YYYY-MM-DD.`,
    description: descriptionOf(element, transactions),
    kind: kindOf(childAt(element, 'BkTxCd')),
    reference: textAt(element, 'AcctSvcrRef') || textAt(single, 'Refs', 'AcctSvcrRef') || undefined,
  };
}

/** Why the amount of an entry cannot be taken, if it cannot. */
export function camtAmountFault(amount: CamtAmount, currency: string): string | undefined {
  const read = inMinor({ ...amount, date: '' }, currency);
  return typeof read === 'string' ? read : undefined;
}

/** The amount in minor units, negative for a debit; or a sentence that says what is wrong with it. */
export function inMinor(
  { line, amount, direction, date }: CamtAmount & { readonly date: string | undefined },
  currency: string,
): DecodedBalance | string {
  if (!/^\d{1,40}(?:\.\d{0,40})?$/.test(amount)) return `"${amount.slice(0, 40)}" is no amount of a camt message.`;
  if (direction !== 'CRDT' && direction !== 'DBIT')
    return `The direction (CdtDbtInd) is "${direction.slice(0, 10)}"; it is CRDT or DBIT.`;
  if (date === undefined) return 'A balance has no date that is a day of the calendar.';
  try {
    const minor = minorOf(amount, currency, '.');
    return { line, minor: direction === 'DBIT' ? -minor : minor, date };
  } catch (error) {
    if (error instanceof InvalidMoney) return error.message;
    throw error;
  }
}

function amountOf(element: XmlElement): CamtAmount {
  const amount = childAt(element, 'Amt');
  return {
    line: element.line,
    amount: amount?.text ?? '',
    currency: attributeOf(amount, 'Ccy') ?? '',
    direction: textAt(element, 'CdtDbtInd'),
  };
}

/** The day of a date or a moment, wherever in the choice it stands. */
function dayOf(choice: XmlElement | undefined, timeZone: string): string | undefined {
  const text = textAt(choice, 'Dt') || textAt(choice, 'DtTm') || choice?.text;
  return text ? isoDay(text, timeZone) : undefined;
}

/** `PMNT/RCDT/DMCT`, or the bank's own code. */
function kindOf(code: XmlElement | undefined): string | null {
  const domain = childAt(code, 'Domn');
  const family = childAt(domain, 'Fmly');
  const parts = [textAt(domain, 'Cd'), textAt(family, 'Cd'), textAt(family, 'SubFmlyCd')].filter((part) => part !== '');
  return plainText(parts.join('/') || textAt(code, 'Prtry', 'Cd'), 100) || null;
}

/** Who stands on the other side, for what, and by which reference; a batch says the same of each transaction in it. */
function descriptionOf(entry: XmlElement, transactions: readonly XmlElement[]): string {
  const isCredit = textAt(entry, 'CdtDbtInd') === 'CRDT';
  const texts = [
    ...transactions.slice(0, 20).flatMap((transaction) => transactionTexts(transaction, isCredit)),
    textAt(entry, 'AddtlNtryInf'),
  ];
  const told = [...new Set(texts.map((text) => text.trim()).filter((text) => text !== ''))].join('; ');
  const code = childAt(entry, 'BkTxCd');
  return plainText(told, 500) || kindOf(code) || '';
}

function transactionTexts(transaction: XmlElement, isCredit: boolean): string[] {
  const parties = childAt(transaction, 'RltdPties');
  const remittance = childAt(transaction, 'RmtInf');
  const nameOf = (role: string) => textAt(parties, role, 'Nm') || textAt(parties, role, 'Pty', 'Nm');
  const roles = isCredit ? ['Dbtr', 'UltmtDbtr', 'Cdtr'] : ['Cdtr', 'UltmtCdtr', 'Dbtr'];
  const endToEnd = textAt(transaction, 'Refs', 'EndToEndId');
  return [
    roles.map(nameOf).find((name) => name !== '') ?? '',
    childrenOf(remittance, 'Ustrd')
      .map(({ text }) => text)
      .join(' '),
    ...childrenOf(remittance, 'Strd').flatMap((structured) => [
      textAt(structured, 'CdtrRefInf', 'Ref') || textAt(structured, 'CdtrRefInf', 'CdtrRef'),
      ...childrenOf(structured, 'AddtlRmtInf').map(({ text }) => text),
    ]),
    textAt(transaction, 'AddtlTxInf'),
    endToEnd === 'NOTPROVIDED' ? '' : endToEnd,
  ];
}
