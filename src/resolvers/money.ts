// Money is a whole number of minor units of one ISO 4217 currency. Text becomes money and money becomes text by
// string arithmetic only: nothing passes through a float, and an amount that does not fit its currency is refused.

/** An amount or a currency that cannot be taken; the message says why and what would be right. */
export class InvalidMoney extends Error {
  override readonly name = 'InvalidMoney';
  readonly code = 'INVALID_MONEY';
}

/** Whether `code` is a currency of ISO 4217 in use that has minor units; lower case is not. */
export function isCurrency(code: string): boolean {
  return currencies.has(code);
}

/**
 * How many decimals amounts of `currency` have: 2 for most, 0 for JPY, 3 for KWD, 4 for CLF.
 * @throws {InvalidMoney} when `currency` is not one that `isCurrency` knows.
 */
export function exponentOf(currency: string): number {
  if (!isCurrency(currency)) {
    throw new InvalidMoney(
      `"${shown(currency)}" is no ISO 4217 currency; give its three capital letters, such as EUR.`,
    );
  }
  return exponents.get(currency) ?? 2;
}

/**
 * The minor units that `text` says: `parseMinor('-12.5', 'CZK')` is `-1250n`.
 * Takes digits, an optional leading minus and a decimal point; no blanks, no thousands separators.
 * @throws {InvalidMoney} on any other text, on more decimals than the currency has (even zeros), and beyond 64 bits.
 */
export function parseMinor(text: string, currency: string): bigint {
  const exponent = exponentOf(currency);
  const parts = decimal.exec(text);
  if (parts === null) {
    throw new InvalidMoney(`"${shown(text)}" is no amount; write digits and a decimal point, such as 1234.50.`);
  }
  const [, sign = '', whole = '', fraction = ''] = parts;
  if (fraction.length > exponent) {
    throw new InvalidMoney(
      `"${shown(text)}" has more than the ${exponent} decimals of ${currency}; amounts are not rounded.`,
    );
  }
  // Leading zeros go first, so that a long run of digits is refused by its length and never becomes a big integer.
  const digits = `${whole}${fraction.padEnd(exponent, '0')}`.replace(/^0+(?=\d)/, '');
  const minor = digits.length > maxDigits ? maxMinor + 1n : BigInt(`${sign}${digits}`);
  if (minor > maxMinor || minor < -maxMinor) {
    throw new InvalidMoney(
      `"${shown(text)}" is too large: ${currency} amounts end at ${formatDecimal(maxMinor, currency)}.`,
    );
  }
  return minor;
}

/**
 * The amount as decimal text with all decimals of its currency: `formatDecimal(-5n, 'CZK')` is `-0.05`.
 * `parseMinor` reads it back to the same number.
 * @throws {InvalidMoney} when `currency` is not one that `isCurrency` knows.
 */
export function formatDecimal(minor: bigint, currency: string): string {
  const exponent = exponentOf(currency);
  const sign = minor < 0n ? '-' : '';
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, '0');
  if (exponent === 0) return `${sign}${digits}`;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?$/;

/** The largest amount either way: a signed 64-bit integer, less the one negative number that has no counterpart. */
const maxMinor = 2n ** 63n - 1n;
const maxDigits = maxMinor.toString().length;

/** What a message quotes of a wrong text: a page of digits would bury the sentence. */
function shown(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/**
 * The currencies of ISO 4217 list one, funds codes included. Codes without minor units (metals, XDR, XTS, XXX) are
 * left out. Our own list, since `Intl` follows CLDR: it lacks funds codes and gives HUF and IQD no decimals.
 */
const currencies: ReadonlySet<string> = new Set(
  `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
  CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD
  HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
  MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON
  RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX
  USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG`.split(/\s+/),
);

/** The exponents of ISO 4217 other than 2. */
const exponents: ReadonlyMap<string, number> = new Map([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0] as const),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3] as const),
  ...'CLF UYW'.split(' ').map((code) => [code, 4] as const),
]);
