import { describe, expect, it } from 'vitest';
import { idsIn, inShort, recordsIn } from './statement-text.js';

const statement = (
  entries: readonly string[],
  parts: { opening?: string; closing?: string; account?: string } = {},
) => {
  const {
    opening = ':60F:C240304EUR100,00',
    closing = ':62F:C240305EUR105,10',
    account = '37040044/0532013000',
  } = parts;
  return [':20:STARTUMS', `:25:${account}`, ':28C:00001/001', opening, ...entries, closing].join('\r\n');
};
const one = [':61:2403050305CR5,10NTRFNONREF//B1', ':86:166?00GUTSCHRIFT?20SVWZ+Miete Mae?21rz 2024?32Ana Abel'];
const read = async (text: string) => inShort(await recordsIn(text));
const plain = [
  'account 37040044-0532013000 EUR 10000',
  '37040044-0532013000 2024-03-05 CLOSED 10000 -> 10510',
  '  510 NTRF GUTSCHRIFT; Ana Abel; SVWZ+Miete Maerz 2024',
];

describe('MT940 statements', () => {
  it.each([
    ['alone', statement(one)],
    ['with a hyphen after', `${statement(one)}\r\n-\r\n`],
    ['in blocks', `{1:F01BANKDEFFAXXX0000000000}{2:O9400000}{3:{108:X}}{4:\r\n${statement(one)}\r\n-}{5:{CHK:0}}`],
    ['in blocks on one line', `{1:F01BANKDEFF}{2:I940BANK}{4:${statement(one)}\r\n-}`],
    ['under lines of the bank', `ABNANL2A\r\n940\r\nABNANL2A\r\n${statement(one)}\r\n-XXX`],
    ['with a tag of its own', `:940:\r\n${statement(one)}`],
    ['with lines ended by LF', statement(one).replaceAll('\r\n', '\n')],
  ])('are read %s', async (_, text) => {
    expect(await read(text)).toEqual(plain);
  });

  it.each([
    [':61:240305C5,10NTRFREF 1', 510, 'NTRF', 'REF 1'],
    [':61:2403050305C5,1NMSCNONREF', 510, 'NMSC', 'NMSC'],
    [':61:2403050305CR5,10S103NONREF//X', 510, 'S103', 'S103'],
    [':61:2403050305CN5,10NZ10NONREF', 510, 'NZ10', 'NZ10'],
    [':61:2403050305RD5,10NRTINONREF', 510, 'NRTI', 'NRTI'],
    [':61:2403050305RDR5.10NRTINONREF', 510, 'NRTI', 'NRTI'],
    [':61:2403050305C000000000005,10FCHGNONREF\r\nbank fee back', 510, 'FCHG', 'bank fee back'],
    [':61:2403050305CF5,10S   X', 510, 'S', 'X'],
    // The 30th of February is a value date where interest counts 30 days a month.
    [':61:2402300305C5,10N051ABC', 510, 'N051', 'ABC'],
    [':61:2402280305C5,10N051ABC', 510, 'N051', 'ABC'],
  ])('take %s', async (line, minor, kind, description) => {
    expect(await read(statement([line]))).toEqual([...plain.slice(0, 2), `  ${minor} ${kind} ${description}`]);
  });

  it.each([
    [':61:2403050305D5,10NTRFX', -510],
    [':61:2403050305DR5,10NTRFX', -510],
    [':61:2403050305RC5,10NTRFX', -510],
    [':61:2403050305RCR5,10NTRFX', -510],
  ])('take %s for a debit', async (line, minor) => {
    expect((await read(statement([line], { closing: ':62F:C240305EUR94,90' })))[2]).toBe(`  ${minor} NTRF X`);
  });

  it('tell what :86: says, structured by any sign, repeated or cut at 65 characters', async () => {
    const told = async (...lines: string[]) =>
      (await read(statement([':61:2403050305C5,10NTRFNONREF', ...lines])))[2]?.slice(11);
    expect(await told(':86:020>00Booking>20first >21second>32Name')).toBe('Booking; Name; first second');
    expect(await told(':86:020~00Booking~20a~b')).toBe('Booking; a~b');
    expect(await told(':NS:01Miete', '02Maerz', '15Ana Abel', '17Dauerauftrag', '1812345')).toBe(
      'Dauerauftrag; Ana Abel; Miete Maerz',
    );
    expect(await told(':86:one', ':86:two')).toBe('one two');
    expect(await told(':86:/EREF/short', 'lines are kept apart')).toBe('/EREF/short lines are kept apart');
    expect(await told(`:86:${'x'.repeat(60)}A`, 'B')).toBe(`${'x'.repeat(60)}AB`);
  });

  it('put pages together, and stay OPEN while one is missing', async () => {
    const first = statement([one[0] ?? ''], { closing: ':62M:C240305EUR105,10' });
    const second = statement([':61:2403060306D5,10NTRFX'], {
      opening: ':60M:C240305EUR105,10',
      closing: ':62F:C240306EUR100,00',
    });
    const closed = ['2024-03-05 CLOSED 10000 -> 10510', '2024-03-06 CLOSED 10510 -> 10000'];
    const days = (lines: string[]) => lines.filter((line) => line.startsWith('37040044')).map((line) => line.slice(20));
    expect(days(await read(`${first}\r\n-\r\n${second}`))).toEqual(closed);
    expect((await read(first)).at(-1)).toContain('lacks its last page');
    expect((await read(second)).at(-1)).toContain('lacks its first page');
  });

  it('of several accounts are each on its own, and the currency behind a number is none of it', async () => {
    const other = statement(one, { account: '70011110/4005287001EUR' });
    const lines = await read(`${statement(one)}\r\n-\r\n${other}`);
    expect(lines.filter((line) => line.startsWith('account'))).toEqual([
      plain[0],
      'account 70011110-4005287001 EUR 10000',
    ]);
  });

  it('may leave the currency out of the closing balance', async () => {
    expect(await read(statement(one, { closing: ':62F:C240305105,10' }))).toEqual(plain);
  });

  it('close the day of a statement without entries', async () => {
    expect(await read(statement([], { closing: ':62F:C240305EUR100,' }))).toEqual([
      plain[0],
      '37040044-0532013000 2024-03-05 CLOSED 10000 -> 10000',
    ]);
  });

  it('have ids of the bank reference beside its day, or of what an entry says', async () => {
    const line = ':61:2403050305C2,55NTRFNONREF';
    const ids = async (...entries: string[]) => idsIn(await recordsIn(statement(entries)));
    expect(await ids(`${line}//B1`, `${line}//B1`)).toEqual(['2024-03-05/B1', '2024-03-05/B1.2']);
    const [first, second] = await ids(line, line);
    expect([first, second]).toEqual([expect.stringMatching(/^2024-03-05\.[\da-f]{16}$/), `${first}.2`]);
  });

  it.each([
    [
      'balances that do not add up',
      statement(one, { closing: ':62F:C240305EUR105,11' }),
      'make that 105.10, but it closes with 105.11',
    ],
    ['an unreadable entry', statement([':61:what', ...one]), ':61: "what" is no entry'],
    ['a day that is none', statement([':61:2402310305C5,10NTRFX']), '240231, which is no day'],
    ['a third decimal', statement([':61:2403050305C5,101NTRFX']), 'more than the 2 decimals'],
    ['two currencies', statement(one, { closing: ':62F:C240305USD105,10' }), 'opens in EUR and closes in USD'],
    ['an unknown currency', statement(one, { opening: ':60F:C240304XXQ100,00' }), '"XXQ" is no ISO 4217 currency'],
    ['a balance that is none', statement(one, { opening: ':60F:X240304EUR100,00' }), 'is no balance'],
    ['no balance', statement(one, { opening: ':28C:1' }), 'no opening balance (:60F:)'],
    ['a close before the opening', statement(one, { closing: ':62F:C240301EUR105,10' }), 'before it opens'],
  ])('are refused with %s', async (_, text, reason) => {
    const lines = await read(text);
    expect(lines.every((line) => line.startsWith('refused'))).toBe(true);
    expect(lines[0]).toContain(reason);
  });
});
