import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exponentOf, formatDecimal, InvalidMoney, isCurrency, parseMinor } from '../../src/resolvers/money.js';

const currencies = ['CZK', 'BRL', 'EUR', 'JPY', 'CLP', 'KWD', 'BHD', 'CLF'] as const;
const anyCurrency = fc.constantFrom(...currencies);
const largest = 2n ** 63n - 1n;
const anyMinor = fc.bigInt({ min: -largest, max: largest });

describe('money', () => {
  it('reads amounts by the decimals of their currency', () => {
    expect(parseMinor('700.00', 'CZK')).toBe(70000n);
    expect(parseMinor('-12.5', 'CZK')).toBe(-1250n);
    expect(parseMinor('0012', 'BRL')).toBe(1200n);
    expect(parseMinor('700', 'JPY')).toBe(700n);
    expect(parseMinor('1.5', 'KWD')).toBe(1500n);
    expect(parseMinor('1.2345', 'CLF')).toBe(12345n);
    expect(parseMinor('-0.00', 'CZK')).toBe(0n);
  });

  it('writes every decimal that the currency has', () => {
    expect(formatDecimal(-5n, 'CZK')).toBe('-0.05');
    expect(formatDecimal(0n, 'BHD')).toBe('0.000');
    expect(formatDecimal(-700n, 'JPY')).toBe('-700');
    expect(formatDecimal(123456n, 'EUR')).toBe('1234.56');
  });

  it('refuses more decimals than the currency has, even zeros, in a sentence', () => {
    expect(() => parseMinor('1.005', 'CZK')).toThrow(
      '"1.005" has more than the 2 decimals of CZK; amounts are not rounded.',
    );
    expect(() => parseMinor('700.00', 'JPY')).toThrow(InvalidMoney);
    expect(() => parseMinor('1.0000', 'KWD')).toThrow(InvalidMoney);
  });

  it.each([
    '',
    ' 1',
    '1 ',
    '1,5',
    '1.000,00',
    '+1',
    '.5',
    '1.',
    '--1',
    '1e3',
    '0x10',
    'NaN',
    '١٢',
  ])('refuses %j as no amount', (text) => {
    expect(() => parseMinor(text, 'CZK')).toThrow(/is no amount/);
  });

  it('refuses amounts beyond 64 bits, however many digits they have', () => {
    expect(parseMinor('92233720368547758.07', 'CZK')).toBe(largest);
    expect(() => parseMinor('92233720368547758.08', 'CZK')).toThrow(/too large/);
    expect(() => parseMinor('9'.repeat(1_000_000), 'CZK')).toThrow(/too large/);
    expect(parseMinor(`${'0'.repeat(1000)}1`, 'CZK')).toBe(100n);
  });

  it('knows the exponents of ISO 4217 and no other codes', () => {
    expect(['JPY', 'KRW', 'CLP', 'ISK', 'BHD', 'KWD', 'TND', 'CLF', 'UYW', 'HUF'].map(exponentOf)).toEqual([
      0, 0, 0, 0, 3, 3, 3, 4, 4, 2,
    ]);
    for (const code of ['', 'czk', 'CZ', 'XXX', 'XAU', 'ZZZ', 'EURO']) {
      expect(isCurrency(code), code).toBe(false);
      expect(() => parseMinor('1', code)).toThrow(/is no ISO 4217 currency/);
    }
  });

  it('knows every currency that Intl lists, historic ones aside', () => {
    const unknown = Intl.supportedValuesOf('currency').filter((code) => !isCurrency(code));
    const withdrawn = ['ANG', 'CUC', 'HRK', 'SLL', 'ZWL', 'XDR', 'XSU', 'XUA'];
    expect(unknown.filter((code) => !withdrawn.includes(code))).toEqual([]);
  });

  it('reads back whatever it writes', () => {
    fc.assert(
      fc.property(anyMinor, anyCurrency, (minor, currency) => {
        expect(parseMinor(formatDecimal(minor, currency), currency)).toBe(minor);
      }),
    );
  });

  it('agrees with rounded floats wherever floats are exact enough', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }), anyCurrency, (minor, currency) => {
        const exponent = exponentOf(currency);
        const text = (minor / 10 ** exponent).toFixed(exponent);
        expect(Number(parseMinor(text, currency))).toBe(Math.round(Number(text) * 10 ** exponent) + 0);
        expect(Number(formatDecimal(BigInt(minor), currency))).toBe(Number(text) + 0);
      }),
    );
  });

  it('never throws anything but its own error', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[-+]?[0-9.,]{0,30}$/));
    fc.assert(
      fc.property(texts, fc.oneof(anyCurrency, fc.string()), (text, currency) => {
        try {
          expect(typeof parseMinor(text, currency)).toBe('bigint');
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidMoney);
        }
      }),
    );
  });
});
