import { describe, expect, it } from 'vitest';
import { dayAfter, isoDay, ofxDay, swiftDay, swiftEntryDay } from '../../src/resolvers/import/statement-date.js';

const saoPaulo = 'America/Sao_Paulo';

describe('days in files', () => {
  it.each([
    ['20240229', '2024-02-29'],
    ['20150730120000', '2015-07-30'],
    ['201507301200', '2015-07-30'],
    // No offset: the bank's own time, whatever the hour.
    ['20150730235959', '2015-07-30'],
    ['20130921050000.000[-7:MST]', '2013-09-21'],
    // Midnight stands for no time at all.
    ['20260430000000[-3:GMT]', '2026-04-30'],
    ['20260430000000[0:GMT]', '2026-04-30'],
    // Half past two in Greenwich is the evening before in São Paulo.
    ['20240301023000[0:GMT]', '2024-02-29'],
    ['20240301213000.123[-8]', '2024-03-02'],
    ['20240301233000[5.5:IST]', '2024-03-01'],
    ['20240301010000[5:30:IST]', '2024-02-29'],
    ['20091217162416.000[-:EST]', '2009-12-17'],
    ['20180804093914:014', '2018-08-04'],
  ])('OFX %s is %s in São Paulo', (text, day) => {
    expect(ofxDay(text, saoPaulo)).toBe(day);
  });

  it.each([
    '',
    '00000000',
    '20120231',
    '201120000000',
    '2024-03-01',
    '20240301250000',
    '20240301120000[99:XX]',
    '20240301x',
  ])('OFX %j is no day', (text) => {
    expect(ofxDay(text, saoPaulo)).toBeUndefined();
  });

  it('of ISO 8601 become the day of the account', () => {
    expect(isoDay('2014-12-31', saoPaulo)).toBe('2014-12-31');
    expect(isoDay('2014-12-31T13:15:00+01:00', saoPaulo)).toBe('2014-12-31');
    expect(isoDay('2014-12-31T01:15:00Z', saoPaulo)).toBe('2014-12-30');
    expect(isoDay('2025-07-23T00:00:00.000000000', saoPaulo)).toBe('2025-07-23');
    expect(isoDay('2014-12-31T23:59:59', saoPaulo)).toBe('2014-12-31');
    for (const text of ['2014-02-29', '2014-13-01', '14-01-01', '2014-01-01T25:00:00', '20140101', '']) {
      expect(isoDay(text, saoPaulo), text).toBeUndefined();
    }
  });

  it('of SWIFT take their century from 80 on, and an entry its year from the value date', () => {
    expect([swiftDay('790101'), swiftDay('800101'), swiftDay('240230')]).toEqual([
      '2079-01-01',
      '1980-01-01',
      undefined,
    ]);
    expect(swiftEntryDay('1231', '2024-01-02')).toBe('2023-12-31');
    expect(swiftEntryDay('0102', '2023-12-31')).toBe('2024-01-02');
    expect(swiftEntryDay('0229', '2023-03-01')).toBe('2024-02-29');
    expect(swiftEntryDay('1301', '2023-03-01')).toBeUndefined();
    expect(dayAfter('2024-02-28')).toBe('2024-02-29');
  });
});
