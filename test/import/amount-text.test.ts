import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalMarkOf, minorOf } from '../../src/resolvers/import/amount-text.js';
import { exponentOf, InvalidMoney } from '../../src/resolvers/money.js';

describe('amounts in files', () => {
  it.each([
    ['-1.234,50', 'BRL', -123450n],
    ['-1,234.50', 'BRL', -123450n],
    ['6000.000,00', 'BRL', 600000000n],
    ['            -11,76', 'BRL', -1176n],
    ['+00000000000115.8300', 'USD', 11583n],
    ['1.234.567', 'BRL', 123456700n],
    ['1,234,567.8', 'USD', 123456780n],
    ["1'234.50", 'CHF', 123450n],
    ['1 234,50', 'EUR', 123450n],
    ['100,00-', 'EUR', -10000n],
    ['−5', 'EUR', -500n],
    ['.50', 'USD', 50n],
    ['5,', 'EUR', 500n],
    ['0.500', 'EUR', 50n],
    ['-80', 'USD', -8000n],
    ['2700', 'JPY', 2700n],
    ['2700.00', 'JPY', 2700n],
    ['1.234', 'KWD', 1234n],
    ['1,5', 'KWD', 1500n],
  ] as const)('reads %j in %s as %s', (text, currency, minor) => {
    expect(minorOf(text, currency)).toBe(minor);
  });

  it.each([
    ['1.234', 'BRL', 'could mean 1234 or 1.234'],
    ['1,000', 'USD', 'could mean 1000 or 1.000'],
    ['1.234', 'CLP', 'could mean'],
    ['1.2345', 'BRL', 'more than the 2 decimals'],
    ['1,5', 'JPY', 'more than the 0 decimals'],
    ['            .  ', 'BRL', 'no amount'],
    ['', 'BRL', 'no amount'],
    ['$120', 'CAD', 'no amount'],
    ['1.2.3', 'BRL', 'no amount'],
    ['1.23,456.7', 'BRL', 'no amount'],
    ['1,23,456', 'INR', 'no amount'],
    ['1e3', 'BRL', 'no amount'],
    ['-5-', 'BRL', 'no amount'],
    ['١٢', 'BRL', 'no amount'],
    ['92233720368547758,08', 'BRL', 'too large'],
    ['9'.repeat(100), 'BRL', 'too large'],
    ['9'.repeat(1_000_000), 'BRL', '1000000 characters'],
    ['1', 'XXQ', 'no ISO 4217 currency'],
  ] as const)('refuses %j in %s: %s', (text, currency, reason) => {
    expect(() => minorOf(text, currency)).toThrow(reason);
  });

  it('takes three digits behind a separator for what the rest of the file shows', () => {
    expect(minorOf('1.234', 'BRL', ',')).toBe(123400n);
    expect(minorOf('18.150', 'EUR', '.')).toBe(1815n);
    expect(minorOf('1,234', 'USD', '.')).toBe(123400n);
    expect(() => minorOf('1234.567', 'BRL', ',')).toThrow('no amount');
    expect(['1,50', '1.234,5', '1.234', '12', '1,234.5', '1.234.567'].map(decimalMarkOf)).toEqual([
      ',',
      ',',
      undefined,
      undefined,
      '.',
      ',',
    ]);
  });

  it('reads whatever a bank may print of an exact amount back to that amount', () => {
    const currencies = ['BRL', 'JPY', 'KWD', 'EUR'] as const;
    const printed = fc.record({
      minor: fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
      currency: fc.constantFrom(...currencies),
      comma: fc.boolean(),
      grouped: fc.boolean(),
      padding: fc.nat({ max: 10 }),
    });
    fc.assert(
      fc.property(printed, ({ minor, currency, comma, grouped, padding }) => {
        const exponent = exponentOf(currency);
        const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, '0');
        const whole = exponent === 0 ? digits : digits.slice(0, -exponent);
        const groups = grouped ? whole.replaceAll(/\B(?=(\d{3})+$)/g, comma ? '.' : ',') : whole;
        const fraction = exponent === 0 ? '' : `${comma ? ',' : '.'}${digits.slice(-exponent)}`;
        const text = `${' '.repeat(padding)}${minor < 0n ? '-' : ''}${groups}${fraction}`;
        const mark = comma ? ',' : '.';
        expect(minorOf(text, currency, mark)).toBe(minor);
        try {
          expect(minorOf(text, currency)).toBe(minor);
        } catch (error) {
          // Without decimals one separator of thousands cannot be told from one of decimals.
          expect(String(error)).toContain('could mean');
          expect(text).toMatch(/^ *-?\d{1,3}[.,]\d{3}$/);
        }
      }),
    );
  });

  it('never throws anything but its own error', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[-+]?[0-9.,' ]{0,30}-?$/));
    const marks = fc.constantFrom(',', '.', undefined);
    fc.assert(
      fc.property(texts, fc.constantFrom('BRL', 'JPY', 'KWD', 'nope'), marks, (text, currency, mark) => {
        try {
          expect(typeof minorOf(text, currency, mark)).toBe('bigint');
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidMoney);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
