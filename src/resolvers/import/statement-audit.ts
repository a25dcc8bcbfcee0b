// The audit rows of an import of statements: one for each file in each transaction that wrote something of it.
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { NewChange } from '../../db/index.js';

/** So many account numbers are named in a row. */
const NAMED_ACCOUNTS = 20;
const MAX_NAME_LENGTH = 200;

interface Facts {
  readonly numbers: Set<string>;
  accounts: number;
  days: number;
  transactions: number;
}

/** Gathers what a transaction writes, by the file that it comes from. */
export class StatementAudit {
  readonly #files = new Map<string, Facts>();

  /** An account that is opened. */
  account(file: string, number: string): void {
    const facts = this.#of(file, number);
    facts.accounts += 1;
  }

  /** A day that is written, with as many transactions that were not there before. */
  day(file: string, number: string, transactions: number): void {
    const facts = this.#of(file, number);
    facts.days += 1;
    facts.transactions += transactions;
  }

  /** The rows to be written. A file is known by its name: where it lies on somebody's disk concerns nobody. */
  rows(): NewChange[] {
    return [...this.#files].map(([file, { numbers, ...counts }]) => ({
      id: randomUUID(),
      actor: 'cli',
      action: 'importStatements',
      domain: 'STATEMENT',
      key: [...basename(file)].slice(0, MAX_NAME_LENGTH).join(''),
      after: { ...counts, of: [...numbers].slice(0, NAMED_ACCOUNTS) },
    }));
  }

  #of(file: string, number: string): Facts {
    const facts = this.#files.get(file) ?? { numbers: new Set<string>(), accounts: 0, days: 0, transactions: 0 };
    this.#files.set(file, facts);
    facts.numbers.add(number);
    return facts;
  }
}
