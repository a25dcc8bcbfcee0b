import { describe, expect, it } from 'vitest';
import { ofxEntry as entry, idsIn, inShort, ofxHeader, ofxText, recordsIn } from './statement-text.js';

const read = async (...args: Parameters<typeof ofxText>) => inShort(await recordsIn(ofxText(...args)));

describe('OFX statements', () => {
  it('go back from the balance, day by day, and are CLOSED', async () => {
    expect(
      await read([entry('20240304', '-1.234,50', 'a'), entry('20240304', '34,50', 'b'), entry('20240305', '200', 'c')]),
    ).toEqual([
      'account 12345-6 BRL 110000',
      '12345-6 2024-03-04 CLOSED 110000 -> -10000',
      '  -123450 OTHER PIX',
      '  3450 OTHER PIX',
      '12345-6 2024-03-05 CLOSED -10000 -> 10000',
      '  20000 OTHER PIX',
    ]);
  });

  it('stay OPEN before the range, after the balance and on the day that they were made', async () => {
    const entries = ['20240229', '20240301', '20240331', '20240402'].map((date, at) => entry(date, '1,00', `${at}`));
    const days = (lines: string[]) => lines.filter((line) => /^12345-6 /.test(line)).map((line) => line.split(' ')[2]);
    expect(days(await read(entries))).toEqual(['OPEN', 'CLOSED', 'CLOSED', 'OPEN']);
    expect(days(await read(entries, { madeAt: '20240331' }))).toEqual(['OPEN', 'CLOSED', 'OPEN', 'OPEN']);
    expect(days(await read(entries, { balance: ['1', '20240415'] }))).toEqual(['OPEN', 'OPEN', 'OPEN', 'OPEN']);
    expect(days(await read(entries, { balance: ['1', '00000000'] }))).toEqual(['OPEN', 'OPEN', 'OPEN', 'OPEN']);
    expect(days(await read(entries, { range: ['20240331', '20240301'] }))).toEqual(['OPEN', 'OPEN', 'OPEN', 'OPEN']);
  });

  it('are read in whatever encoding they come, with the accents of their texts', async () => {
    const text = ofxText([entry('20240304', '1,00', 'a', 'DÉB AUTORIZADO &amp; TARIFA A&B')]);
    const expected = '  100 OTHER DÉB AUTORIZADO & TARIFA A&B';
    expect(inShort(await recordsIn(Buffer.from(text, 'latin1')))).toContain(expected);
    expect(inShort(await recordsIn(Buffer.from(text, 'utf8')))).toContain(expected);
    expect(inShort(await recordsIn(Buffer.from(`\uFEFF${text}`, 'utf16le')))).toContain(expected);
  });

  it('of version 2 are XML, with sections of literal text and lower-case tags', async () => {
    const header = '<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="211"?>\n';
    const xml = ofxText(
      [
        '<STMTTRN><DTPOSTED>20240304</DTPOSTED><TRNAMT>-5.10</TRNAMT><FITID>1</FITID><NAME><![CDATA[A > B & C]]></NAME></STMTTRN>',
      ],
      { header },
    );
    expect(inShort(await recordsIn(xml.replaceAll(/<\/?[A-Z\d]+>/g, (tag) => tag.toLowerCase())))).toContain(
      '  -510 - A > B & C',
    );
  });

  it('take name, payee and memo for the description, without saying a thing twice', async () => {
    const named = (inner: string, id: string) =>
      `<STMTTRN><TRNTYPE>POS<DTPOSTED>20240304<TRNAMT>1<FITID>${id}${inner}</STMTTRN>`;
    const lines = await read([
      named('<NAME>PADARIA<MEMO>COMPRA', '1'),
      named('<NAME>PADARIA<MEMO>PADARIA DO ZE', '2'),
      named('<PAYEE><NAME>JOAO<CITY>X</PAYEE><MEMO>ALUGUEL', '3'),
      named('', '4'),
    ]);
    const texts = lines.filter((line) => line.startsWith('  ')).map((line) => line.trim());
    expect(texts).toEqual(['100 POS PADARIA: COMPRA', '100 POS PADARIA DO ZE', '100 POS JOAO: ALUGUEL', '100 POS POS']);
  });

  it('need no ends of entries, lists and statements, but of the file', async () => {
    const open = ofxText([entry('20240304', '1,00', 'a'), entry('20240305', '2,00', 'b')]).replaceAll(
      /<\/(?:STMTTRN|BANKTRANLIST|STMTRS|STATUS)>/g,
      '',
    );
    expect(inShort(await recordsIn(open))).toEqual(
      await read([entry('20240304', '1,00', 'a'), entry('20240305', '2,00', 'b')]),
    );
    const [cut = ''] = open.split('<LEDGERBAL>');
    expect(inShort(await recordsIn(cut))).toEqual([
      'refused 9 x2 The statement breaks off before its end (</STMTRS>); get the file whole.',
    ]);
  });

  it('refuse the days of entries that cannot be read, and leave open what the balance does not reach past them', async () => {
    expect(
      await read([
        entry('20240304', '1,00', 'a'),
        entry('20240305', '1,005', 'b'),
        entry('20240305', '2,00', 'c'),
        entry('20240306', '3,00', 'd'),
      ]),
    ).toEqual([
      'refused 13 "1,005" could mean 1005 or 1.005; write the decimals of the currency.',
      'account 12345-6 BRL 9400',
      '12345-6 2024-03-04 OPEN 9400 -> 9500',
      '  100 OTHER PIX',
      '  An entry of 2024-03-05 cannot be read, so that the balance does not reach back to this day. It stays OPEN.',
      'refused 14 x1 Account 12345-6, 2024-03-05: an entry of the day cannot be read; a day is imported whole or not at all.',
      '12345-6 2024-03-06 CLOSED 9700 -> 10000',
      '  300 OTHER PIX',
    ]);
  });

  it('are refused whole when the day of an entry cannot be read', async () => {
    expect(await read([entry('20240304', '1,00', 'a'), entry('20240231', '1,00', 'b')])).toEqual([
      'refused 13 The date "20240231" is no day of the calendar written as YYYYMMDD.',
      'refused 9 x1 Account 12345-6: the day of the entry on line 13 cannot be read, so that any day may lack it; nothing is imported.',
    ]);
  });

  it.each([
    ['a type against the sign', entry('20240304', '1,00', 'a', 'X', 'DEBIT'), 'contradict each other'],
    ['no amount', '<STMTTRN><DTPOSTED>20240304<FITID>1</STMTTRN>', 'no amount (TRNAMT)'],
    [
      'another currency',
      '<STMTTRN><DTPOSTED>20240304<TRNAMT>1<FITID>1<CURRENCY><CURRATE>5<CURSYM>USD</CURRENCY></STMTTRN>',
      'in "USD", but the account is in BRL',
    ],
    [
      'a correction',
      '<STMTTRN><DTPOSTED>20240304<TRNAMT>1<FITID>2<CORRECTFITID>1<CORRECTACTION>REPLACE</STMTTRN>',
      'corrects the entry 1',
    ],
    ['a day to come', entry('20261124', '1,00', 'a'), 'it is only 2026-11-23'],
    ['an amount beyond 64 bits', entry('20240304', '92233720368547758,08', 'a'), 'too large'],
  ])('refuse an entry with %s, and do not open an account for it', async (_, bad, reason) => {
    const lines = await read([bad]);
    expect([lines.length, lines[0]]).toEqual([1, expect.stringContaining(reason)]);
  });

  it.each([
    ['no currency', { currency: '' }, 'names no currency (CURDEF); give it with --currency'],
    ['an unknown currency', { currency: 'XXQ' }, '"XXQ" is no ISO 4217 currency'],
    ['no account', { account: '' }, 'names no account (ACCTID)'],
    ['a balance that is none', { balance: ['abc', '20240331'] as const }, 'The balance cannot be read'],
    ['a balance of no day', { balance: ['1,00', '20240231'] as const }, 'is no day of the calendar'],
  ])('are refused with %s', async (_, parts, reason) => {
    const lines = await read([entry('20240304', '1,00', 'a')], parts);
    expect([lines.length, lines[0]]).toEqual([1, expect.stringContaining(reason)]);
  });

  it('leave out the balances that banks put among the entries', async () => {
    const lines = await read([
      entry('20240304', '500,00', '0', 'Saldo Anterior'),
      entry('20240304', '1,00', 'a', 'Saldo devedor pago'),
    ]);
    expect(lines).toEqual([
      'refused 12 "Saldo Anterior" lists a balance and moves nothing; it is left out.',
      'account 12345-6 BRL 9900',
      '12345-6 2024-03-04 CLOSED 9900 -> 10000',
      '  100 OTHER Saldo devedor pago',
    ]);
  });

  it('of one account in one file count together, and have to agree', async () => {
    const march = ofxText([entry('20240304', '1,00', 'a')]);
    const body = (text: string) => text.slice(text.indexOf('<BANKMSGSRSV1>'), text.indexOf('</OFX>'));
    const april = (balance: string) =>
      ofxText([entry('20240402', '2,00', 'b')], {
        range: ['20240401', '20240430'],
        balance: [balance, '20240430'],
        madeAt: '20240502',
      });
    const both = (balance: string) => april(balance).replace('<BANKMSGSRSV1>', `${body(march)}<BANKMSGSRSV1>`);
    expect(inShort(await recordsIn(both('102,00')))).toContain('12345-6 2024-04-02 CLOSED 10000 -> 10200');
    expect(inShort(await recordsIn(both('103,00')))).toEqual([
      expect.stringContaining(
        'The balance of 2024-03-31 is 100.00, but by the balance of 2024-04-30 and the entries it is 101.00',
      ),
    ]);
  });

  it('have ids that hold, whatever else is in the file', async () => {
    const ids = async (...entries: string[]) => idsIn(await recordsIn(ofxText(entries)));
    // A reference that comes again is the first one's; zeros are no reference.
    expect(
      await ids(entry('20240304', '1,00', '77'), entry('20240305', '2,00', '77'), entry('20240305', '3,00', '77')),
    ).toEqual(['77', '77@2024-03-05', '77@2024-03-05.2']);
    const zeros = await ids(entry('20240304', '1,00', '000'), entry('20240304', '1,00', '000'));
    expect(zeros).toEqual([expect.stringMatching(/^2024-03-04\.[\da-f]{16}$/), `${zeros[0]}.2`]);
    expect(await ids(entry('20240302', '9,00', ''), entry('20240304', '1,00', ''))).toContain(zeros[0]);
  });

  it('refuse the day of an entry that stands there twice in every respect', async () => {
    const lines = await read([entry('20240304', '1,00', '77'), entry('20240304', '1,00', '77')]);
    expect(lines[0]).toContain('The entry 77 stands on line 12 already with the same content');
    expect(lines.filter((line) => line.includes('CLOSED'))).toEqual([]);
  });

  it('tell what the bank answered instead', async () => {
    const file = `${ofxHeader}<OFX><BANKMSGSRSV1><STMTTRNRS><STATUS><CODE>2003<SEVERITY>ERROR<MESSAGE>Conta inválida</STATUS></STMTTRNRS></BANKMSGSRSV1></OFX>`;
    expect(inShort(await recordsIn(file))).toEqual(['refused 7 The bank answered with error 2003: Conta inválida']);
  });
});
