import { describe, expect, it } from 'vitest';
import { idsIn, inShort, recordsIn } from './statement-text.js';

const read = async (rows: readonly string[], options: Parameters<typeof recordsIn>[1] = {}) =>
  inShort(await recordsIn(rows.join('\n'), options));
const own = { account: '1', currency: 'BRL' };
const entriesOf = (lines: string[]) => lines.filter((line) => line.startsWith('  ') && !line.includes('OPEN'));

describe('CSV statements', () => {
  it('with a running balance are CLOSED: Portuguese, semicolons, debit and credit apart, lines above and below', async () => {
    const rows = [
      'Extrato',
      'Conta: 12345-6;;',
      'Data;Histórico;Docto.;Crédito (R$);Débito (R$);Saldo (R$)',
      '01/03/2024;SALDO ANTERIOR;;;;1.000,00',
      '04/03/2024;PIX RECEBIDO;123;250,50;;1.250,50',
      '05/03/2024;"PGTO ""X""',
      'LTDA";10;;1.000,00;250,50',
      'Total;;;250,50;1.000,00;',
    ];
    expect(inShort(await recordsIn(Buffer.from(rows.join('\r\n'), 'latin1')))).toEqual([
      'refused 4 "SALDO ANTERIOR" lists a balance and moves nothing; it is left out.',
      'refused 8 The row has no date and stands below the last entry, as totals do; it is left out.',
      'account 12345-6 BRL 100000',
      '12345-6 2024-03-04 CLOSED 100000 -> 125050',
      '  25050 - PIX RECEBIDO; 123',
      '12345-6 2024-03-05 CLOSED 125050 -> 25050',
      '  -100000 - PGTO "X" LTDA; 10',
    ]);
  });

  it('may list the latest entry first: German, decimal comma, the account in a column', async () => {
    const rows = [
      '"Auftragskonto";"Buchungstag";"Buchungstext";"Beguenstigter/Zahlungspflichtiger";"Kontonummer";"Betrag";"Waehrung";"Saldo"',
      '"DE12500105170648489890";"05.03.24";"LASTSCHRIFT";"Stadtwerke";"DE11";"-1.045,20";"EUR";"1.454,80"',
      '"DE12500105170648489890";"05.03.24";"MIETE";"Ana";"DE12";"-500,00";"EUR";"2.500,00"',
      '"DE12500105170648489890";"01.03.24";"LOHN";"Firma";"DE13";"2.500,00";"EUR";"3.000,00"',
    ];
    expect((await read(rows)).filter((line) => line.includes('DE12500105170648489890'))).toEqual([
      'account DE12500105170648489890 EUR 50000',
      'DE12500105170648489890 2024-03-01 CLOSED 50000 -> 300000',
      'DE12500105170648489890 2024-03-05 CLOSED 300000 -> 145480',
    ]);
  });

  it.each([
    ['comma', 'Account Number,Date,Description,Debit,Credit,Currency', '7,14/04/2024,"A, B",,"1,500.00",GBP'],
    ['tab', 'Account Number\tDate\tDescription\tDebit\tCredit\tCurrency', '7\t14/04/2024\tA, B\t\t1500.00\tGBP'],
    ['pipe', 'Account Number|Date|Description|Debit|Credit|Currency', '7|2024-04-14 10:15:00|A, B|0.00|1500|GBP'],
  ])('are told their delimiter: %s', async (_, header, row) => {
    expect(entriesOf(await read([header, row]))).toEqual(['  150000 - A, B']);
  });

  it.each([
    ['a column for the direction', 'data;valor;D/C', ['04/03/2024;10,00;D', '04/03/2024;5,00;C'], [-1000, 500]],
    ['a type that is one', 'data;valor;tipo', ['04/03/2024;10,00;Débito', '04/03/2024;5,00;Crédito'], [-1000, 500]],
    ['a letter behind the amount', 'data;valor', ['04/03/2024;1.010,00 D', '04/03/2024;5,00C'], [-101000, 500]],
    ['brackets', 'data;valor', ['04/03/2024;(10,00)', '04/03/2024;R$ 5,00'], [-1000, 500]],
    ['a sign', 'data;valor', ['04/03/2024;-10,00', '04/03/2024;+5,00'], [-1000, 500]],
  ])('tell debits by %s', async (_, header, rows, minors) => {
    const lines = entriesOf(await read([header, ...rows], own));
    expect(lines.map((line) => Number(line.split(' ')[2]))).toEqual(minors);
  });

  it('take three digits behind a point for thousands once the file has shown a decimal comma', async () => {
    expect(entriesOf(await read(['data;valor', '04/03/2024;1.234', '04/03/2024;1,50'], own))[0]).toContain('123400');
    expect((await read(['data;valor', '04/03/2024;1.234'], own))[0]).toContain('could mean 1234 or 1.234');
  });

  it('put the day or the month first as the dates or the language show, and are refused where neither does', async () => {
    const days = async (header: string, ...dates: string[]) =>
      (await read([header, ...dates.map((date) => `${date},1.00`)], own))
        .filter((line) => line.startsWith('1 '))
        .map((line) => line.split(' ')[1]);
    expect(await days('Date,Amount', '03/04/2024', '03/13/2024')).toEqual(['2024-03-04', '2024-03-13']);
    expect(await days('Date,Amount', '03/04/2024', '13/03/2024')).toEqual(['2024-03-13', '2024-04-03']);
    expect(await days('Data,Valor', '03/04/2024')).toEqual(['2024-04-03']);
    expect(await days('Date,Amount', '03/03/2024')).toEqual(['2024-03-03']);
    expect((await read(['Date,Amount', '03/04/2024,1.00'], own))[0]).toContain('could put the day or the month first');
  });

  it('without balances stay OPEN, and keep the ids of the bank', async () => {
    const records = await recordsIn('Data,Valor,Identificador,Descrição\n01/03/2024,-10.00,65e1-aa,Compra', own);
    expect(inShort(records)).toEqual([
      'account 1 BRL 0',
      '1 2024-03-01 OPEN 0 -> -1000',
      '  -1000 - Compra',
      '  The file states no closing balance with a date. It stays OPEN.',
    ]);
    expect(idsIn(records)).toEqual(['65e1-aa']);
  });

  it('with several accounts make each its own days', async () => {
    const lines = await read(['conta;data;valor;moeda', 'A;04/03/2024;1,00;BRL', 'B;04/03/2024;2,00;EUR']);
    expect(lines.filter((line) => line.startsWith('account'))).toEqual(['account A BRL 0', 'account B EUR 0']);
  });

  it('do not take the account of the other side for their own', async () => {
    const rows = ['Buchungstag;Empfänger;Kontonummer;IBAN;Betrag', '04.03.2024;Ana;DE11;DE12;-1,00'];
    expect((await read(rows, own))[0]).toBe('account 1 BRL 0');
    expect((await read(['Kontonummer:;7', ...rows], { currency: 'EUR' }))[0]).toBe('account 7 EUR 0');
    expect((await read(rows, { currency: 'EUR' }))[0]).toContain('give its number with --account');
  });

  it('take their own account from a column that is no other side’s', async () => {
    const rows = ['Bezeichnung Auftragskonto;IBAN Auftragskonto;Buchungstag;Betrag', 'Giro;DE11;04.03.2024;-1,00'];
    expect((await read(rows, { currency: 'EUR' }))[0]).toBe('account DE11 EUR 0');
  });

  it('leave out what is not booked', async () => {
    const lines = await read(
      ['date,amount,state', '2024-03-04,-1.00,COMPLETED', ',-2.00,PENDING', '2024-03-05,-3.00,REVERTED'],
      own,
    );
    expect(lines.filter((line) => line.startsWith('refused'))).toEqual([
      'refused 3 The entry is not booked: its state is "PENDING"; it is left out.',
      'refused 4 The entry is not booked: its state is "REVERTED"; it is left out.',
    ]);
    expect(entriesOf(lines)).toEqual(['  -100 - ']);
  });

  it('are refused where the type of some entries alone says that they are debits', async () => {
    const header = 'date,amount,type';
    const fee = '2024-03-05,3.00,FEE';
    expect(await read([header, '2024-03-04,1.00,DEBIT', fee], own)).toEqual([
      expect.stringContaining('Line 2 is a debit by its type, but its amount has no sign'),
    ]);
    expect(entriesOf(await read([header, '2024-03-04,-1.00,DEBIT', fee], own))).toEqual([
      '  -100 DEBIT DEBIT',
      '  300 FEE FEE',
    ]);
  });

  it.each([
    ['a fee beside the amount', ['data;valor;conta;moeda;fee', '04/03/2024;1,00;7;BRL;0,50'], 'a fee of 0,50'],
    ['no account', ['data;valor;moeda', '04/03/2024;1,00;BRL'], 'give its number with --account'],
    ['no currency', ['data;valor;conta', '04/03/2024;1,00;7'], 'give it with --currency'],
    [
      'two currencies',
      ['data;valor;conta;moeda', '04/03/2024;1,00;7;BRL', '04/03/2024;1,00;7;USD'],
      'an account has one currency',
    ],
    ['an unknown currency', ['data;valor;conta;moeda', '04/03/2024;1,00;7;XXQ'], '"XXQ" is no ISO 4217'],
    [
      'a balance that does not follow',
      ['data;valor;conta;moeda;saldo', '04/03/2024;1,00;7;BRL;1,00', '05/03/2024;1,00;7;BRL;2,01'],
      'does not follow',
    ],
    [
      'a debit and a credit in one row',
      ['data;debito;credito;conta;moeda', '04/03/2024;1,00;1,00;7;BRL'],
      'an entry is one of them',
    ],
    ['a day that is none', ['data;valor;conta;moeda', '31/02/2024;1,00;7;BRL'], '"31/02/2024" is no day'],
    ['an amount that is none', ['data;valor;conta;moeda', '04/03/2024;1,0x;7;BRL'], '"1,0x" is no amount'],
    [
      'a quote that does not end',
      ['data;valor;conta;moeda', '04/03/2024;"1,00;7;BRL'],
      'breaks off inside a quoted field',
    ],
    ['nothing below the header', ['data;valor;conta;moeda'], 'No row stands below'],
  ])('are refused with %s', async (_, rows, reason) => {
    const lines = await read(rows);
    expect(lines.every((line) => line.startsWith('refused'))).toBe(true);
    expect(lines[0]).toContain(reason);
  });
});
