import { describe, expect, it } from 'vitest';
import { idsIn, inShort, recordsIn } from './statement-text.js';

const balance = (type: string, amount: string, date: string, direction = 'CRDT', more = '') =>
  `<Bal><Tp><CdOrPrtry><Cd>${type}</Cd></CdOrPrtry>${more}</Tp><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>${direction}</CdtDbtInd><Dt><Dt>${date}</Dt></Dt></Bal>`;
const entry = (
  amount: string,
  direction: string,
  inner = '',
  date = '<BookgDt><Dt>2024-03-05</Dt></BookgDt>',
  status = 'BOOK',
) =>
  `<Ntry><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>${direction}</CdtDbtInd><Sts>${status}</Sts>${date}<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>${inner}</Ntry>`;
const statement = (...parts: string[]) =>
  `<Stmt><Id>1</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>${parts.join('\n')}</Stmt>`;
const message = (statements: string, version = '02') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.${version}"><BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr>${statements}</BkToCstmrStmt></Document>`;
const opens = balance('OPBD', '100.00', '2024-03-04');
const read = async (...parts: string[]) => inShort(await recordsIn(message(statement(...parts))));

describe('camt.053 statements', () => {
  it.each(['02', '03', '04', '05', '06', '07', '08', '10', '13'])('of version %s are read', async (version) => {
    const status = Number(version) >= 6 ? '<Cd>BOOK</Cd>' : 'BOOK';
    const text = message(
      statement(opens, entry('5.10', 'CRDT', '', undefined, status), balance('CLBD', '105.10', '2024-03-05')),
      version,
    );
    expect(inShort(await recordsIn(text))).toEqual([
      'account DE89370400440532013000 EUR 10000',
      'DE89370400440532013000 2024-03-05 CLOSED 10000 -> 10510',
      '  510 PMNT/RCDT/ESCT PMNT/RCDT/ESCT',
    ]);
  });

  it('tell who, what for and by which reference, of a batch of all its transactions, and book it once', async () => {
    const transaction = (name: string, text: string, reference: string) =>
      `<TxDtls><Refs><EndToEndId>${reference}</EndToEndId></Refs><Amt Ccy="EUR">2.00</Amt><RltdPties><Dbtr><Nm>${name}</Nm></Dbtr></RltdPties><RmtInf><Ustrd>${text}</Ustrd></RmtInf></TxDtls>`;
    const details = `<NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch>${transaction('Ana', 'Rent &amp; heat', 'E1')}${transaction('Bo', 'Rent', 'NOTPROVIDED')}</NtryDtls>`;
    const single = `<AcctSvcrRef>BANK-7</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><Cdtr><Pty><Nm>Cy</Nm></Pty></Cdtr></RltdPties></TxDtls></NtryDtls>`;
    const text = message(
      statement(
        opens,
        entry('4.00', 'CRDT', details),
        entry('1.00', 'DBIT', single),
        balance('CLBD', '103.00', '2024-03-05'),
      ),
    );
    const records = await recordsIn(text);
    expect(inShort(records).slice(2)).toEqual([
      '  400 PMNT/RCDT/ESCT Ana; Rent & heat; E1; Bo; Rent',
      '  -100 PMNT/RCDT/ESCT Cy',
    ]);
    expect(idsIn(records)).toEqual([expect.stringMatching(/^2024-03-05\.[\da-f]{16}$/), 'BANK-7']);
  });

  it('continue one another in one file, over a day in two of them', async () => {
    const first = statement(opens, entry('5.00', 'CRDT'), balance('CLBD', '105.00', '2024-03-05'));
    const second = statement(
      balance('OPBD', '105.00', '2024-03-05'),
      entry('6.00', 'DBIT'),
      entry('1.00', 'CRDT', '', '<BookgDt><Dt>2024-03-06</Dt></BookgDt>'),
      balance('CLBD', '100.00', '2024-03-06'),
    );
    const days = inShort(await recordsIn(message(first + second))).filter((line) => line.includes('CLOSED'));
    expect(days).toEqual([
      'DE89370400440532013000 2024-03-05 CLOSED 10000 -> 9900',
      'DE89370400440532013000 2024-03-06 CLOSED 9900 -> 10000',
    ]);
  });

  it('without an opening balance opened with what follows from the closing one', async () => {
    expect(await read(entry('5.00', 'CRDT'), balance('CLBD', '1.00', '2024-03-05', 'DBIT'))).toContain(
      'DE89370400440532013000 2024-03-05 CLOSED -600 -> -100',
    );
  });

  it('leave out what is not booked, and say so', async () => {
    expect(
      await read(opens, entry('5.00', 'CRDT', '', undefined, 'PDNG'), balance('CLBD', '100.00', '2024-03-05')),
    ).toEqual([
      'refused 3 The entry is not booked: its status is "PDNG"; it is left out.',
      'account DE89370400440532013000 EUR 10000',
      'DE89370400440532013000 2024-03-05 CLOSED 10000 -> 10000',
    ]);
  });

  it('stay OPEN while a page or the closing balance is missing', async () => {
    const part = '<SubTp><Cd>INTM</Cd></SubTp>';
    expect(
      (await read(opens, entry('5.00', 'CRDT'), balance('CLBD', '105.00', '2024-03-05', 'CRDT', part))).at(-1),
    ).toContain('goes on on another page');
    expect((await read(opens, entry('5.00', 'CRDT'))).at(-1)).toMatch(
      /no booked closing balance \(CLBD\)\. It stays OPEN\.$/,
    );
  });

  it('use the value date where there is no other, as far as the statement reaches', async () => {
    const valued = (date: string) => `<ValDt><Dt>${date}</Dt></ValDt>`;
    const lines = await read(
      opens,
      entry('5.00', 'CRDT', '', valued('2024-03-04')),
      entry('1.00', 'CRDT', '', valued('2024-03-09')),
      balance('CLBD', '106.00', '2024-03-05'),
    );
    expect(lines.filter((line) => line.includes('CLOSED')).map((line) => line.split(' ')[1])).toEqual([
      '2024-03-04',
      '2024-03-05',
    ]);
  });

  it.each([
    [
      'balances that do not add up',
      [opens, entry('5.00', 'CRDT'), balance('CLBD', '105.01', '2024-03-05')],
      'make that 105.00, but it closes with 105.01',
    ],
    [
      'a fraction of a cent',
      [opens, entry('5.001', 'CRDT'), balance('CLBD', '105.00', '2024-03-05')],
      'more than the 2 decimals',
    ],
    ['a decimal comma', [opens, entry('5,00', 'CRDT'), balance('CLBD', '105.00', '2024-03-05')], 'is no amount'],
    ['no direction', [opens, entry('5.00', ''), balance('CLBD', '105.00', '2024-03-05')], 'it is CRDT or DBIT'],
    [
      'a day that is none',
      [
        opens,
        entry('5.00', 'CRDT', '', '<BookgDt><Dt>2024-02-31</Dt></BookgDt>'),
        balance('CLBD', '105.00', '2024-03-05'),
      ],
      '"2024-02-31" is no day',
    ],
  ])('are refused with %s', async (_, parts, reason) => {
    const lines = await read(...parts);
    expect(lines.every((line) => line.startsWith('refused'))).toBe(true);
    expect(lines[0]).toContain(reason);
  });

  it.each([
    ['elements that do not nest', message('<Stmt><Id></Stmt>'), '</Stmt> ends what <Id> began'],
    ['an end that is missing', message(statement(opens)).replace(/<\/Stmt>.*/s, ''), 'breaks off inside <Stmt>'],
    [
      'a payment order',
      message('').replace('camt.053.001.02', 'pain.001.001.03').replaceAll('BkToCstmrStmt', 'CstmrCdtTrfInitn'),
      'pain.001.001.03',
    ],
  ])('are refused with %s', async (_, text, reason) => {
    expect(inShort(await recordsIn(text, { format: 'camt' }))).toEqual([expect.stringContaining(reason)]);
  });

  it('may have a prefix on every name, and a moment for a day', async () => {
    const text = message(
      statement(
        opens,
        entry('5.00', 'CRDT', '', '<BookgDt><DtTm>2024-03-05T23:30:00Z</DtTm></BookgDt>'),
        balance('CLBD', '105.00', '2024-03-05'),
      ),
    );
    const prefixed = text.replaceAll(/<(\/?)([A-Z])/g, '<$1n:$2').replace('xmlns=', 'xmlns:n=');
    // Half past eleven in Greenwich is the day after in Berlin.
    expect(inShort(await recordsIn(prefixed))[1]).toContain('2024-03-06 CLOSED');
  });
});
