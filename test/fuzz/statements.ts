// Files of bank statements, good ones and broken ones, are read record by record, or refused in sentences.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeCamt } from '../../src/resolvers/import/camt.js';
import { decodeCsv } from '../../src/resolvers/import/csv.js';
import type { Decoded } from '../../src/resolvers/import/decoded-statement.js';
import { StatementFault } from '../../src/resolvers/import/errors.js';
import { decodeMt940 } from '../../src/resolvers/import/mt940.js';
import { decodeOfx } from '../../src/resolvers/import/ofx.js';
import { claim } from './claim.js';
import { battered } from './texts.js';

const options = { timeZoneOf: async () => 'UTC', currency: 'BRL', account: '1' };
const amount = fc.oneof(
  fc.integer().map((minor) => `${Math.trunc(minor / 100)},${String(Math.abs(minor % 100)).padStart(2, '0')}`),
  fc.constantFrom('0.00', '-1.234,56', '1e9', '99999999999999999999,99', '', '-', 'NaN'),
);
const day = fc.integer({ min: 0, max: 40 }).map((date) => String(date).padStart(2, '0'));
const memo = fc.constantFrom('PIX', 'TED & cia', '&lt;', '&#0;', '<![CDATA[x]]>', 'ação', '', '"quoted"', "'--");

const ofx = fc
  .array(fc.tuple(day, amount, memo), { maxLength: 5 })
  .map((entries) =>
    [
      'OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n<OFX><BANKMSGSRSV1><STMTTRNRS>',
      '<STMTRS><CURDEF>BRL<BANKACCTFROM><BANKID>1<ACCTID>1</BANKACCTFROM><BANKTRANLIST><DTSTART>20240301<DTEND>20240331',
      ...entries.map(
        ([at, sum, text], id) =>
          `<STMTTRN><TRNTYPE>OTHER<DTPOSTED>202403${at}<TRNAMT>${sum}<FITID>${id}<MEMO>${text}</STMTTRN>`,
      ),
      '</BANKTRANLIST><LEDGERBAL><BALAMT>1,00<DTASOF>20240331</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>',
    ].join('\n'),
  );

const camt = fc.array(fc.tuple(day, amount, memo), { maxLength: 5 }).map((entries) => {
  const balance = (code: string) =>
    `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2024-03-04</Dt></Dt></Bal>`;
  const booked = entries.map(
    ([at, sum, text]) =>
      `<Ntry><Amt Ccy="EUR">${sum.replace(',', '.')}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2024-03-${at}</Dt></BookgDt><AddtlNtryInf>${text}</AddtlNtryInf></Ntry>`,
  );
  return `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt><Acct><Id><IBAN>X1</IBAN></Id><Ccy>EUR</Ccy></Acct>${balance('OPBD')}${balance('CLBD')}${booked.join('')}</Stmt></BkToCstmrStmt></Document>`;
});

const mt940 = fc
  .array(fc.tuple(day, amount, memo), { maxLength: 5 })
  .map((entries) =>
    [
      ':20:X\n:25:1\n:28C:1\n:60F:C240304EUR1,',
      ...entries.map(([at, sum, text]) => `:61:2403${at}0304C${sum}NTRFX\n:86:166?00${text}?20b`),
      ':62F:C240305EUR2,\n-',
    ].join('\n'),
  );

const csv = fc
  .tuple(
    fc.constantFrom(
      'data;valor;saldo;conta\n',
      'data;valor\n',
      'Date,Amount,Description\n',
      'Data\tHistórico\tValor\n',
    ),
    fc.array(fc.tuple(day, amount, memo), { maxLength: 5 }),
  )
  .map(([head, rows]) => {
    const sign = /[;,\t]/.exec(head)?.[0] ?? ';';
    return head + rows.map((row) => `${row[0]}/03/2024${sign}${row[1]}${sign}${row[2]}\n`).join('');
  });

type Decode = (text: Iterable<string>) => AsyncIterable<Decoded>;

const formats: readonly (readonly [string, fc.Arbitrary<string>, Decode])[] = [
  ['OFX', battered(ofx, '<STMTTRN>', '</STMTTRN>', '<OFX>', '<!--', '<X ', '&'), (text) => decodeOfx(text, options)],
  [
    'camt',
    battered(camt, '<Ntry>', '</Ntry>', '<Bal/>', '<!DOCTYPE x>', ']]>', '&#xd800;'),
    (text) => decodeCamt(text, options),
  ],
  ['MT940', battered(mt940, '\n:61:', '\n:86:', '\n-}', '{4:', ':62M:C240305EUR2,'), (text) => decodeMt940(text)],
  [
    'CSV',
    battered(csv, '"', '""', ';', '\r', '\t', '31/02/2024'),
    (text) => decodeCsv(text, [...text].join(''), options),
  ],
];

export const statementClaims = formats.map(([name, file, decode]) =>
  claim(
    `of ${name} are refused in sentences, or read to exact amounts`,
    fc.asyncProperty(file, async (text) => {
      try {
        for await (const record of decode([text])) {
          if (record.kind === 'refused') assert.match(record.reason, /^\S.*[.]$|^The bank answered/s);
          else assert(record.entries.every(({ minor }) => typeof minor === 'bigint'));
        }
      } catch (error) {
        assert(error instanceof StatementFault);
        assert.match(error.message, /[.]$/);
      }
    }),
  ),
);
