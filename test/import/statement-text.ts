// Statements as a test writes them, and what a format makes of them.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { groupByFormat, type ReadOptions } from '../../src/resolvers/import/statement-format.js';
import type { StatementRecord } from '../../src/resolvers/import/statement-record.js';
import { collected } from './real-data.js';

const nothingKnown = {
  knownAccounts: async () => false,
  openingOf: async () => 0n,
  dayBefore: async () => undefined,
  todayOf: async () => '2026-11-23',
};

/** The records of a file that holds `text`, in the format that is recognised in it. */
export async function recordsIn(
  text: string | Uint8Array,
  options: Partial<ReadOptions> & { readonly format?: string } = {},
): Promise<StatementRecord[]> {
  const folder = await mkdtemp(join(tmpdir(), 'statement-'));
  try {
    const file = join(folder, 'file');
    await writeFile(file, text);
    const { groups } = await groupByFormat([file], options.format);
    const [group] = groups;
    if (group === undefined) throw new Error('No format.');
    const { format } = group;
    const zone = { timeZoneOf: async () => format.timeZone };
    const records = format.read([file], {
      currency: format.currency,
      account: undefined,
      ...nothingKnown,
      ...zone,
      ...options,
    });
    return await collected(records);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Records in short: accounts, days with their transactions, refusals, notes. */
export function inShort(records: readonly StatementRecord[]): string[] {
  return records.flatMap((record) => {
    if (record.kind === 'account') return [`account ${record.number} ${record.currency} ${record.opening}`];
    if (record.kind === 'refused')
      return [`refused ${record.line}${record.records ? ` x${record.records}` : ''} ${record.reason}`];
    const { account, date, status, opening, closing, transactions } = record;
    return [
      `${account} ${date} ${status} ${opening} -> ${closing}${record.note ? ' noted' : ''}`,
      ...transactions.map(({ minor, description, kind }) => `  ${minor} ${kind ?? '-'} ${description}`),
      ...(record.status === 'OPEN' ? [`  ${record.reason}`] : []),
    ];
  });
}

/** The external ids of the transactions of all days. */
export const idsIn = (records: readonly StatementRecord[]): string[] =>
  records.flatMap((record) => (record.kind === 'day' ? record.transactions.map(({ externalId }) => externalId) : []));

export interface OfxParts {
  readonly header?: string;
  readonly currency?: string;
  readonly account?: string;
  readonly range?: readonly [string, string];
  readonly balance?: readonly [string, string];
  readonly madeAt?: string;
}

export const ofxHeader = 'OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n';

/** OFX 1 with the entries as they are given, in SGML without the ends of tags. */
export function ofxText(entries: readonly string[], parts: OfxParts = {}): string {
  const { header = ofxHeader, currency = 'BRL', account = '12345-6', madeAt = '20240405' } = parts;
  const [from, to] = parts.range ?? ['20240301', '20240331'];
  const [amount, asOf] = parts.balance ?? ['100,00', '20240331'];
  return [
    `${header}<OFX>\n<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>${madeAt}<LANGUAGE>POR</SONRS></SIGNONMSGSRSV1>`,
    `<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS><CURDEF>${currency}`,
    `<BANKACCTFROM><BANKID>001<ACCTID>${account}<ACCTTYPE>CHECKING</BANKACCTFROM>`,
    `<BANKTRANLIST><DTSTART>${from}<DTEND>${to}`,
    ...entries,
    `</BANKTRANLIST><LEDGERBAL><BALAMT>${amount}<DTASOF>${asOf}</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>`,
  ].join('\n');
}

/** An entry whose tags are left open. */
export const ofxEntry = (date: string, amount: string, id: string, memo = 'PIX', type = 'OTHER'): string =>
  `<STMTTRN><TRNTYPE>${type}<DTPOSTED>${date}<TRNAMT>${amount}<FITID>${id}<MEMO>${memo}</STMTTRN>`;
