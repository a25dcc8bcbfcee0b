// Reads the Berka files (a Czech bank's accounts and transactions, PKDD'99 Discovery Challenge, published by Petr Berka
// and Marta Sochorova) as accounts and statement days, in one pass over each file and in memory that does not grow with
// the number of days. What has no place in the result is refused by file and line, and the rest goes on.

import { exponentOf } from '../money.js';
import { type BerkaDaysOptions, readDays } from './berka-days.js';
import { type Probe, probed, readRows, refused } from './berka-file.js';
import { accountRow, type BerkaKind, dispositionRow } from './berka-rows.js';
import type { StatementRecord } from './statement-record.js';

export interface BerkaOptions extends BerkaDaysOptions {
  /** What amounts are in; ISO 4217, CZK unless given. */
  readonly currency?: string;
}

/**
 * The accounts of `files`, then their statement days, and among them what is refused and why.
 *
 * Files are told apart by their first line and may come in any order. `account.asc` and `disp.asc` make accounts (the
 * holder is the client whose right is of type OWNER) and need each other; `trans.asc` makes days, with accounts from
 * the same reading or already known. Files without a place, such as standing orders, are refused as a whole.
 *
 * A day is handed on once a later date of its account is met, or at the end, so that one day per account is held;
 * several transaction files are read by their first date and continue one another. A row dated before the day its
 * account has come to is refused, not sorted in: the day it belongs to has been handed on by then. How a day adds up,
 * `addUpDay` says; one that lacks a row because it could not be read stays OPEN whatever it adds up to.
 * @throws {InvalidMoney} when the currency is unknown.
 */
export async function* readBerka(
  files: readonly string[],
  options: BerkaOptions = {},
): AsyncGenerator<StatementRecord> {
  const currency = options.currency ?? 'CZK';
  exponentOf(currency);
  const found: Record<BerkaKind, Probe[]> = { account: [], disp: [], trans: [] };
  for (const file of files) {
    const probe = await probed(file);
    if (probe.kind === 'refused') yield { kind: 'refused', file, line: probe.line, reason: probe.reason };
    else found[probe.kind].push(probe);
  }
  found.trans.sort((a, b) => (a.firstDate < b.firstDate ? -1 : a.firstDate > b.firstDate ? 1 : 0));

  const accounts = new Set<string>();
  if (found.account.length > 0 && found.disp.length > 0) {
    const owners = new Map<string, string>();
    for (const { file } of found.disp) yield* readOwners(file, owners, options);
    for (const { file } of found.account) yield* readAccounts(file, owners, accounts, currency, options);
  } else {
    for (const { file } of found.disp) yield { kind: 'refused', file, line: 0, reason: dispAlone };
    for (const { file } of found.account) yield { kind: 'refused', file, line: 0, reason: accountAlone };
  }
  yield* readDays(
    found.trans.map(({ file }) => file),
    accounts,
    currency,
    options,
  );
}

const dispAlone = 'The file says only who holds the accounts of account.asc; import both in one command.';
const accountAlone = 'The file does not say who holds its accounts; import it in one command with disp.asc.';

async function* readOwners(
  file: string,
  owners: Map<string, string>,
  options: BerkaOptions,
): AsyncGenerator<StatementRecord> {
  for await (const row of readRows(file, dispositionRow, options)) {
    if (row.kind === 'refused') yield row;
    else if (row.value.role === 'OWNER') {
      const { account, client } = row.value;
      const other = owners.get(account);
      if (other === undefined) owners.set(account, client);
      else yield refused(file, row.line, `Account ${account} has its OWNER already, client ${other}; it can have one.`);
    }
  }
}

async function* readAccounts(
  file: string,
  owners: ReadonlyMap<string, string>,
  accounts: Set<string>,
  currency: string,
  options: BerkaOptions,
): AsyncGenerator<StatementRecord> {
  for await (const row of readRows(file, accountRow, options)) {
    if (row.kind === 'refused') {
      yield row;
      continue;
    }
    const { number } = row.value;
    const holder = owners.get(number);
    if (accounts.has(number)) yield refused(file, row.line, `Account ${number} is listed already; numbers are unique.`);
    else if (holder === undefined) {
      yield refused(file, row.line, `Account ${number} has no OWNER in disp.asc; every account needs a holder.`);
    } else {
      accounts.add(number);
      yield { kind: 'account', file, line: row.line, number, holder, currency, opening: 0n };
    }
  }
}
