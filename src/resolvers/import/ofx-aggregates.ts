// Finds the statements in OFX markup, the SGML of version 1 with its unclosed tags and the XML of version 2 alike: which
// elements hold others is fixed by the standard, so whatever else is open has ended once its neighbour begins.

import { requireEntries } from './decoded-statement.js';
import { StatementFault } from './errors.js';
import type { MarkupToken } from './markup.js';

/** Values by the name of their element; of several with one name the first. */
export interface OfxValues {
  readonly line: number;
  readonly values: ReadonlyMap<string, string>;
}

/** A statement as it is written. */
export interface OfxStatement {
  readonly line: number;
  readonly kind: 'bank' | 'card' | 'other';
  readonly element: string;
  /** What stands in it directly, such as CURDEF. */
  readonly values: ReadonlyMap<string, string>;
  readonly account: OfxValues | undefined;
  readonly range: OfxValues | undefined;
  readonly balance: OfxValues | undefined;
  readonly entries: readonly OfxEntry[];
  /** Whether its end was there; without it entries may be missing. */
  readonly ended: boolean;
}

export interface OfxEntry extends OfxValues {
  /** The currency that the amount is in, where the entry says so. */
  readonly currency: string | undefined;
  readonly payee: string | undefined;
}

/** What a file says beside its statements. */
export interface OfxFrame {
  readonly madeAt: string | undefined;
  /** Answers of the bank's server that are errors. */
  readonly errors: readonly OfxValues[];
  /** Names of its message sets. */
  readonly sets: readonly string[];
  /** Whether an OFX element was there, and whether it ended. */
  readonly ended: boolean;
}

const statements: ReadonlyMap<string, OfxStatement['kind']> = new Map([
  ['STMTRS', 'bank'],
  ['CCSTMTRS', 'card'],
  ['INVSTMTRS', 'other'],
  ['LOANSTMTRS', 'other'],
]);

/** The elements whose values are kept apart; any other that holds elements only wraps them. */
const kept: ReadonlySet<string> = new Set([
  ...statements.keys(),
  ...'SONRS STATUS BANKACCTFROM CCACCTFROM BANKTRANLIST STMTTRN LEDGERBAL AVAILBAL BAL CURRENCY ORIGCURRENCY'.split(
    ' ',
  ),
  ...'PAYEE BANKACCTTO CCACCTTO FI EXTDPAYEE IMAGEDATA BANKTRANLISTP STMTTRNP BALLIST REWARDINFO'.split(' '),
]);

/** What an element cannot stand inside of: such a one was left open. */
const endedBy: ReadonlyMap<string, readonly string[]> = new Map([
  ['STMTTRN', ['STMTTRN']],
  ['LEDGERBAL', ['STMTTRN', 'BANKTRANLIST', 'LEDGERBAL', 'AVAILBAL']],
  ['AVAILBAL', ['STMTTRN', 'BANKTRANLIST', 'LEDGERBAL', 'AVAILBAL']],
  ['BANKTRANLIST', ['BANKACCTFROM', 'CCACCTFROM', 'BANKTRANLIST', 'LEDGERBAL', 'AVAILBAL']],
  ['STMTRS', [...statements.keys()]],
  ['CCSTMTRS', [...statements.keys()]],
  ['INVSTMTRS', [...statements.keys()]],
]);

/** Elements in a row that neither end nor hold text: a file that goes deeper has another structure. */
const MAX_OPEN = 64;

const wrapper = /^(?:OFX|\w*STMTTRNRS|\w*MSGSRSV\d+)$/;

interface Open {
  readonly name: string;
  readonly line: number;
  readonly values: Map<string, string>;
}

interface Draft extends Open {
  readonly entries: OfxEntry[];
  account?: Open;
  range?: Open;
  balance?: Open;
}

/** Takes tokens and hands out each statement once it has ended. */
export class OfxReader {
  readonly #stack: Open[] = [];
  readonly #sets: string[] = [];
  readonly #errors: Open[] = [];
  #done: OfxStatement[] = [];
  #draft: Draft | undefined;
  #leaf: { readonly name: string; readonly line: number; text: string } | undefined;
  #entry: { currency?: string; payee?: string } = {};
  #madeAt: string | undefined;
  #openInARow = 0;
  #ended = false;

  take(token: MarkupToken): void {
    if (token.kind === 'text') {
      if (this.#leaf) this.#leaf.text += token.text;
      this.#openInARow = 0;
      return;
    }
    const name = token.name.toUpperCase();
    this.#endLeaf();
    if (token.kind === 'close') {
      this.#openInARow = 0;
      if (name === 'OFX') this.#ended = true;
      // What wraps a statement has ended, and so has the statement, though its own end tag was left out.
      this.#close(wrapper.test(name) ? (this.#draft?.name ?? name) : name);
      return;
    }
    if (++this.#openInARow > MAX_OPEN) {
      throw new StatementFault(token.line, `The file nests elements deeper than ${MAX_OPEN}; it is no OFX statement.`);
    }
    if (/MSGSRSV\d+$/.test(name)) this.#sets.push(name);
    if (kept.has(name)) this.#open(name, token.line);
    else this.#leaf = { name, line: token.line, text: '' };
  }

  /** The statements that have ended since this was last asked. */
  taken(): OfxStatement[] {
    const done = this.#done;
    this.#done = [];
    return done;
  }

  /** What the file says beside its statements; one that is still open is among `taken` then, as not ended. */
  end(): OfxFrame {
    this.#endLeaf();
    while (this.#stack.length > 0) this.#pop(false);
    return { madeAt: this.#madeAt, errors: this.#errors, sets: this.#sets, ended: this.#ended };
  }

  get madeAt(): string | undefined {
    return this.#madeAt;
  }

  #open(name: string, line: number): void {
    const ends = endedBy.get(name) ?? [];
    const from = this.#stack.findIndex((open) => ends.includes(open.name));
    if (from !== -1) while (this.#stack.length > from) this.#pop(false);
    const open: Open = { name, line, values: new Map() };
    this.#stack.push(open);
    if (statements.has(name)) this.#draft = { ...open, entries: [] };
    if (name === 'STMTTRN') this.#entry = {};
  }

  #close(name: string): void {
    const at = this.#stack.findLastIndex((open) => open.name === name);
    if (at === -1) return;
    while (this.#stack.length > at) this.#pop(this.#stack.length === at + 1);
  }

  #endLeaf(): void {
    const leaf = this.#leaf;
    this.#leaf = undefined;
    const text = leaf?.text.trim() ?? '';
    if (leaf === undefined || text === '') return;
    const inside = this.#stack.at(-1);
    if (inside?.values.has(leaf.name) === false) inside.values.set(leaf.name, text);
    if (leaf.name === 'DTSERVER') this.#madeAt ??= text;
  }

  #pop(ended: boolean): void {
    const open = this.#stack.pop();
    if (open === undefined) return;
    const { name, line, values } = open;
    if (name === 'STATUS' && /^error$/i.test(values.get('SEVERITY') ?? '')) this.#errors.push(open);
    const draft = this.#draft;
    if (draft === undefined) return;
    const inEntry = this.#stack.at(-1)?.name === 'STMTTRN';
    if (name === 'STMTTRN') {
      const entry = { line, values, currency: this.#entry.currency, payee: this.#entry.payee };
      requireEntries(draft.entries.push(entry), line);
    } else if (name === 'CURRENCY' && inEntry) this.#entry.currency = values.get('CURSYM') ?? '';
    else if (name === 'PAYEE' && inEntry) this.#entry.payee = values.get('NAME') ?? '';
    else if (name === 'BANKACCTFROM' || name === 'CCACCTFROM') draft.account ??= open;
    else if (name === 'BANKTRANLIST') draft.range ??= open;
    else if (name === 'LEDGERBAL') draft.balance ??= open;
    else if (name === draft.name) {
      const kind = statements.get(name) ?? 'other';
      const { account, range, balance, entries } = draft;
      this.#done.push({ line: draft.line, kind, element: name, values, account, range, balance, entries, ended });
      this.#draft = undefined;
    }
  }
}
