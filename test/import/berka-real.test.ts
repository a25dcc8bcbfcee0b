import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { readBerka } from '../../src/resolvers/import/berka.js';
import type { Progress } from '../../src/resolvers/import/lines.js';
import type { DayRecord, StatementRecord } from '../../src/resolvers/import/statement-record.js';
import { collected, describeReal, realFile } from './real-data.js';

const folder = 'statements/pkdd99-berka';
const names = ['trans.asc.gz', 'order.asc', 'disp.asc', 'account.asc'].map((name) => `${folder}/${name}`);

describeReal('the public Berka files', names, () => {
  const progress: Progress[] = [];
  let reading: Promise<StatementRecord[]> | undefined;
  const records = (): Promise<StatementRecord[]> => {
    reading ??= collected(readBerka(names.map(realFile), { onProgress: (step) => progress.push(step) }));
    return reading;
  };
  const days = async (): Promise<DayRecord[]> => (await records()).flatMap((each) => (each.kind === 'day' ? each : []));

  it('give 4,500 accounts whose holders are their owners', async () => {
    const rows = readFileSync(realFile(`${folder}/disp.asc`), 'utf8').matchAll(/^\d+;(\d+);(\d+);"OWNER"\s*$/gm);
    const owners = new Map([...rows].map(([, client, account]) => [account, client]));
    const accounts = (await records()).flatMap((each) => (each.kind === 'account' ? each : []));
    expect(accounts).toHaveLength(4500);
    expect(new Map(accounts.map(({ number, holder }) => [number, holder]))).toEqual(owners);
    expect(new Set(accounts.map(({ currency, opening }) => `${opening} ${currency}`))).toEqual(new Set(['0 CZK']));
  });

  it('give 49,102 transactions of 1,229 accounts in 39,960 days, 37,703 of them CLOSED', async () => {
    const all = await days();
    expect(all.flatMap(({ transactions }) => transactions)).toHaveLength(49_102);
    expect(new Set(all.map(({ account }) => account)).size).toBe(1229);
    expect(all).toHaveLength(39_960);
    expect(all.filter(({ status }) => status === 'CLOSED')).toHaveLength(37_703);
  });

  it('have their standing orders refused once and their cut-off row by its line, and nothing else', async () => {
    const refused = (await records()).flatMap((each) => (each.kind === 'refused' ? each : []));
    expect(refused).toEqual([
      {
        kind: 'refused',
        file: realFile(`${folder}/order.asc`),
        line: 1,
        reason: expect.stringContaining('standing orders'),
      },
      {
        kind: 'refused',
        file: realFile(`${folder}/trans.asc.gz`),
        line: 49_104,
        reason: expect.stringContaining('cut off'),
      },
    ]);
  });

  it('add up day by day as another reading of them says', async () => {
    const all = await days();
    const byKey = new Map(all.map((day) => [`${day.account}/${day.date}`, day]));
    const expected = independentDays(gunzipSync(readFileSync(realFile(`${folder}/trans.asc.gz`))).toString('latin1'));
    expect(byKey.size).toBe(expected.size);
    const seen = [...byKey].sort(byFirst).map(([key, day]) => [key, inShort(day)]);
    expect(seen).toEqual([...expected].sort(byFirst));
  });

  it('keep the days of an account in order, each opening with what the one before it stated', async () => {
    const last = new Map<string, DayRecord>();
    for (const day of await days()) {
      const before = last.get(day.account);
      expect(day.date > (before?.date ?? '')).toBe(true);
      expect(day.opening).toBe(before?.statedClosing ?? 0n);
      expect(day.closing).toBe(day.opening + day.credits - day.debits);
      expect(day.status === 'CLOSED').toBe(day.statedClosing === day.closing);
      last.set(day.account, day);
    }
  });

  it('tell their progress in bytes on disk, up to the last byte of each file read', async () => {
    await records();
    const ends = new Map(progress.map(({ file, readBytes, totalBytes }) => [file, [readBytes, totalBytes]]));
    expect(ends.size).toBe(3);
    for (const [readBytes, totalBytes] of ends.values()) expect(readBytes).toBe(totalBytes);
  });
});

const byFirst = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0);

/** A day as one comparable line: status, opening, closing, and its transactions' ids, cents, balances, codes. */
function inShort(day: DayRecord): string {
  const lines = day.transactions.map(
    ({ externalId, minor, balance, kind, description }) => `${externalId} ${minor} ${balance} ${kind} ${description}`,
  );
  return [day.status, day.opening, day.closing, ...lines].join(' | ');
}

/** Another way to the same days: one regular expression over the whole text, rounded floats, a plain second pass. */
function independentDays(text: string): Map<string, string> {
  type Row = { id: string; cents: number; balance: number; codes: string };
  const accounts = new Map<string, Map<string, Row[]>>();
  const pattern = /^(\d+);(\d+);(\d\d)(\d\d)(\d\d);"(\w+)";"([^"]*)";([\d.]+);(-?[\d.]+);"?([^";]*)"?;[^;]*;.*\r$/gm;
  for (const [, id = '', account = '', yy, mm, dd, type, operation, amount, balance, symbol = ''] of text.matchAll(
    pattern,
  )) {
    const date = `19${yy}-${mm}-${dd}`;
    const cents = Math.round(Number(amount) * 100) * (type === 'PRIJEM' ? 1 : -1);
    const about = operation && symbol.trim() ? `${operation}: ${symbol}` : operation || symbol;
    const codes = `${operation ? `${type}/${operation}` : type} ${about}`;
    const dates = accounts.get(account) ?? new Map<string, Row[]>();
    accounts.set(
      account,
      dates.set(date, [...(dates.get(date) ?? []), { id, cents, balance: Math.round(Number(balance) * 100), codes }]),
    );
  }
  const days = new Map<string, string>();
  for (const [account, dates] of accounts) {
    let opening = 0;
    for (const [date, rows] of [...dates].sort(byFirst)) {
      const closing = rows.reduce((sum, { cents }) => sum + cents, opening);
      const listed = rows.map(({ balance }) => balance);
      const status = listed.includes(closing) ? 'CLOSED' : 'OPEN';
      const lines = rows.map(({ id, cents, balance, codes }) => `${id} ${cents} ${balance} ${codes}`);
      days.set(`${account}/${date}`, [status, opening, closing, ...lines].join(' | '));
      opening = listed.reverse().sort((a, b) => Math.abs(a - closing) - Math.abs(b - closing))[0] ?? closing;
    }
  }
  return days;
}
