import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCamt } from '../../src/resolvers/import/camt.js';
import { decodeCsv } from '../../src/resolvers/import/csv.js';
import { StatementFault } from '../../src/resolvers/import/errors.js';
import { MarkupReader, type MarkupToken } from '../../src/resolvers/import/markup.js';
import { decodeMt940 } from '../../src/resolvers/import/mt940.js';
import { decodeOfx } from '../../src/resolvers/import/ofx.js';
import { collected } from './real-data.js';
import { inShort, ofxEntry, ofxHeader, ofxText, recordsIn } from './statement-text.js';

const MEBI = 2 ** 20;
const camt = (inner: string) =>
  `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt>${inner}</Stmt></BkToCstmrStmt></Document>`;
const options = { timeZoneOf: async () => 'UTC', currency: 'BRL', account: '1' };

/** One hundred megabytes of `unit`, piece by piece. */
function* flood(head: string, unit: string): Generator<string> {
  yield head;
  const piece = unit.repeat(Math.ceil(MEBI / unit.length));
  for (let count = 0; count < 100; count++) yield piece;
}

describe('hostile statement files', () => {
  const laughs = Array.from({ length: 9 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`).join('');
  it.each([
    [
      'entities that multiply, in camt',
      camt('<Nm>&l9;</Nm>').replace('?>', `?><!DOCTYPE l [<!ENTITY l0 "ha">${laughs}]>`),
      'declares a document type',
    ],
    [
      'entities that multiply, in OFX',
      `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "ha">${laughs}]>${ofxText([]).slice(ofxHeader.length)}`,
      'declares a document type',
    ],
    ['10,000 nested elements, in camt', camt(`${'<A>'.repeat(10_000)}${'</A>'.repeat(10_000)}`), 'deeper than 64'],
    ['10,000 nested elements, in OFX', ofxText([`${'<A>'.repeat(10_000)}${'</A>'.repeat(10_000)}`]), 'deeper than 64'],
    ['zero bytes', ofxText([ofxEntry('20240304', '1\0', 'a')]), 'zero bytes'],
    ['an end inside a tag', ofxText([]).replace(/EDGERBAL>.*/s, ''), 'inside a tag'],
  ])('of %s are refused in a sentence', async (_, text, reason) => {
    const lines = inShort(await recordsIn(text));
    expect(lines.filter((line) => !line.startsWith('refused'))).toEqual([]);
    expect(lines.join()).toContain(reason);
  });

  it.each([
    ['one tag, in OFX', decodeOfx, `${ofxHeader}<OFX>`, '<A>'],
    ['entries in one another, in OFX', decodeOfx, `${ofxHeader}<OFX><STMTRS>`, '<STMTTRN>'],
    ['a tag without end', decodeOfx, `${ofxHeader}<OFX><`, 'A'],
    ['a text without end', decodeOfx, `${ofxHeader}<OFX><MEMO>`, 'A'],
    ['one tag, in camt', decodeCamt, camt('').replace(/<\/.*/, ''), '<A>'],
    ['elements in one entry', decodeCamt, camt('<Ntry>').replace(/<\/.*/, ''), '<A/>'],
    ['one line, in MT940', decodeMt940, ':20:X\n:86:', 'x'],
    ['lines of one field, in MT940', decodeMt940, ':20:X\n:86:', 'x\n'],
    ['fields of one message, in MT940', decodeMt940, ':20:X\n', ':61:x\n'],
    ['one field, in CSV', (text: Iterable<string>) => decodeCsv(text, 'data;valor\n', options), 'data;valor\n"', 'x'],
    ['empty fields, in CSV', (text: Iterable<string>) => decodeCsv(text, 'data;valor\n', options), 'data;valor\n', ';'],
    [
      'rows, in CSV',
      (text: Iterable<string>) => decodeCsv(text, 'data;valor\n', options),
      'data;valor\n',
      '04/03/2024;1,00\n',
    ],
  ])('of 100 MB of %s are refused, in a tenth of the memory', async (_, decode, head, unit) => {
    let read = 0;
    function* counted(): Generator<string> {
      for (const piece of flood(head, unit)) {
        read += 1;
        yield piece;
      }
    }
    await expect(collected(decode(counted(), options))).rejects.toThrow(StatementFault);
    expect(read).toBeLessThan(20);
  });
});

describe('statement decoders', () => {
  const words = fc.constantFrom(
    ...'<OFX> </OFX> <STMTRS> </STMTRS> <CURDEF>BRL <BANKACCTFROM> <ACCTID>1 </BANKACCTFROM> <BANKTRANLIST> <DTSTART>20240301 <DTEND>20240331'.split(
      ' ',
    ),
    ...'<STMTTRN> </STMTTRN> <DTPOSTED>20240304 <TRNAMT>1,00 <TRNAMT>- <LEDGERBAL> <BALAMT>5 <DTASOF>20240331 </LEDGERBAL> <FITID> <X <!-- --> & &#0; &#xd800; <![CDATA[ ]]>'.split(
      ' ',
    ),
    ...'<Document> </Document> <BkToCstmrStmt> </BkToCstmrStmt> <Stmt> </Stmt> <Acct><Id><IBAN>X1</IBAN></Id></Acct> <Ntry> </Ntry> <Amt_Ccy="EUR">1.5</Amt> <Bal/>'
      .split(' ')
      .map((word) => word.replace('_', ' ')),
    ...':20:X|:25:1|:28C:1|:60F:C240304EUR1,|:60M:D240304EUR1,|:61:2403040304C1,NTRFX|:61:x|:86:166?00a?20b|:62F:C240305EUR2,|:62M:C240305EUR2,|-|-}|{4:'
      .split('|')
      .map((word) => `\n${word}`),
    ...[
      'data;valor;saldo;conta\n',
      '04/03/2024;1,00;1,00;7\n',
      '31/02/2024;x;;\n',
      '"',
      '""',
      ';',
      ',',
      '\r\n',
      '\r',
      '\t',
    ],
  );
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(words, { maxLength: 40 }).map((parts) => parts.join('')),
  );
  const decoders = {
    ofx: decodeOfx,
    camt: decodeCamt,
    mt940: decodeMt940,
    csv: (text: Iterable<string>) => decodeCsv(text, [...text].join(''), options),
  };

  it.each(
    Object.entries(decoders),
  )('of %s never throw anything but their own error, and refuse in sentences', async (_, decode) => {
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        try {
          for (const record of await collected(decode([text], options))) {
            if (record.kind === 'refused') expect(record.reason).toMatch(/^\S.*[.]$|^The bank answered/s);
            else expect(record.entries.every(({ minor }) => typeof minor === 'bigint')).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(StatementFault);
          expect(String(error)).toMatch(/[.]$/);
        }
      }),
      { numRuns: 1_500 },
    );
  });

  it('of markup give the same tokens wherever the text is cut', () => {
    const tokensOf = (pieces: readonly string[]): MarkupToken[] | string => {
      const reader = new MarkupReader();
      try {
        return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
      } catch (error) {
        expect(error).toBeInstanceOf(StatementFault);
        return String(error);
      }
    };
    fc.assert(
      fc.property(hostile, fc.array(fc.nat({ max: 300 }), { maxLength: 5 }), (text, places) => {
        const ends = [...places.map((place) => place % (text.length + 1)), text.length].sort((a, b) => a - b);
        const pieces = ends.map((end, at) => text.slice(at === 0 ? 0 : ends[at - 1], end));
        expect(tokensOf(pieces)).toEqual(tokensOf([text]));
      }),
      { numRuns: 1_000 },
    );
  });
});
