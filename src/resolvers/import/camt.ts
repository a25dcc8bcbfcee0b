// Reads camt.053 statements, of every version since 001.01, as banks of ISO 20022 write them. The reports and notices of
// the same family (camt.052, camt.054) are refused: they are no statements, and would book entries twice.

import { isCurrency } from '../money.js';
import { type CamtBalance, type CamtEntry, camtAmountFault, camtBalance, camtEntry, inMinor } from './camt-entry.js';
import {
  accountNumberOf,
  type Decoded,
  type DecodedBalance,
  type DecodedEntry,
  type EntryFault,
  requireEntries,
} from './decoded-statement.js';
import { StatementFault } from './errors.js';
import { MarkupReader } from './markup.js';
import { childAt, textAt, type XmlElement, XmlReader } from './xml-tree.js';

export interface CamtOptions {
  readonly currency?: string | undefined;
  /** In which a moment with an offset becomes a day. */
  readonly timeZoneOf: (account: string) => Promise<string>;
}

/** Document, message and statement; what is in a statement comes part by part. */
const PART_DEPTH = 3;

/** The statements of camt text. @throws {StatementFault} where it is no camt.053 message. */
export async function* decodeCamt(
  chunks: AsyncIterable<string> | Iterable<string>,
  options: CamtOptions,
): AsyncGenerator<Decoded> {
  const markup = new MarkupReader();
  const reader = new XmlReader(PART_DEPTH);
  let draft: Draft | undefined;
  let count = 0;
  let line = 0;
  async function* taken(tokens: ReturnType<MarkupReader['push']>): AsyncGenerator<Decoded> {
    for (const token of tokens) {
      line = token.line;
      const event = reader.take(token);
      if (event === undefined) continue;
      if (event.kind === 'part') {
        if (draft) await draft.take(event.element, options);
      } else if (event.path.length < PART_DEPTH) {
        if (event.kind === 'open') requireMessage(event.path, event.attributes, event.line);
      } else if (event.path.at(-1) === 'Stmt') {
        if (event.kind === 'open') draft = new Draft(event.line);
        else if (draft) {
          count += 1;
          yield* draft.decoded(options);
          draft = undefined;
        }
      }
    }
  }
  for await (const chunk of chunks) yield* taken(markup.push(chunk));
  yield* taken(markup.end());
  reader.end(line);
  if (count === 0) yield { kind: 'refused', line: 0, reason: 'The message has no statement (Stmt) in it.' };
}

function requireMessage(path: readonly string[], attributes: string, line: number): void {
  const [root, message = ''] = path;
  const schema = /urn:iso:std:iso:20022:tech:xsd:([\w.]+)/.exec(attributes)?.[1] ?? '';
  const name = /^(?:camt\.05[24]|pain|pacs|head)/.test(schema) ? schema : '';
  if (name.startsWith('camt.052') || /^BkToCstmrAcctRpt/.test(message)) throw new StatementFault(line, report);
  if (name.startsWith('camt.054') || /^BkToCstmrDbtCdtNtfctn/.test(message)) throw new StatementFault(line, notice);
  if (root !== 'Document')
    throw new StatementFault(line, `The root element is <${root}>, not the <Document> of a camt.053 message.`);
  if (name !== '' || (path.length === 2 && !/^BkToCstmrStmt(?:V\d+)?$/.test(message))) {
    throw new StatementFault(line, `The message is ${name || `<${message}>`}, not a camt.053 statement.`);
  }
}

const report =
  'It is an account report of the running day (camt.052), which is no statement; import the camt.053 of the day.';
const notice = 'It is a notice of single bookings (camt.054), which is no statement; import the camt.053 of the day.';

/** A statement of which the parts are coming. */
class Draft {
  readonly #line: number;
  readonly #balances: CamtBalance[] = [];
  readonly #entries: CamtEntry[] = [];
  #account: string | undefined;
  #currency: string | undefined;
  #timeZone: string | undefined;
  #page: XmlElement | undefined;

  constructor(line: number) {
    this.#line = line;
  }

  async take(part: XmlElement, { timeZoneOf }: CamtOptions): Promise<void> {
    if (part.name === 'Acct') {
      const id = childAt(part, 'Id');
      const given =
        textAt(id, 'IBAN') || textAt(id, 'Othr', 'Id') || textAt(id, 'PrtryAcct', 'Id') || textAt(id, 'BBAN');
      this.#account = accountNumberOf(given);
      this.#currency = textAt(part, 'Ccy') || undefined;
      this.#timeZone = this.#account && (await timeZoneOf(this.#account));
    } else if (part.name === 'StmtPgntn') this.#page = part;
    else if (part.name === 'Bal') this.#balances.push(camtBalance(part, this.#timeZone ?? 'UTC'));
    else if (part.name === 'Ntry') {
      requireEntries(this.#entries.push(camtEntry(part, this.#timeZone ?? 'UTC')), part.line);
    }
  }

  *decoded(options: CamtOptions): Generator<Decoded> {
    const line = this.#line;
    const records = Math.max(1, this.#entries.length);
    const account = this.#account;
    if (account === undefined) {
      yield {
        kind: 'refused',
        line,
        reason: 'The statement names no account (Acct/Id) of 64 letters and digits at most.',
        records,
      };
      return;
    }
    const opening =
      this.#balances.find(({ type }) => type === 'OPBD') ?? this.#balances.find(({ type }) => type === 'PRCD');
    const closing = this.#balances.findLast(({ type }) => type === 'CLBD');
    const isBooked = ({ status }: CamtEntry) => status === 'BOOK' || status === '';
    const booked = this.#entries.filter(isBooked);
    const currency =
      this.#currency ?? opening?.currency ?? closing?.currency ?? booked[0]?.currency ?? options.currency;
    const mixed = this.#foreign(currency);
    if (currency === undefined || !isCurrency(currency) || mixed !== undefined) {
      const none =
        currency === undefined
          ? 'The statement names no currency.'
          : `"${currency.slice(0, 10)}" is no ISO 4217 currency.`;
      yield { kind: 'refused', line, reason: `Account ${account}: ${mixed ?? none}`, records };
      return;
    }
    for (const entry of this.#entries) {
      if (isBooked(entry)) continue;
      const reason = `The entry is not booked: its status is "${entry.status.slice(0, 10)}"; it is left out.`;
      yield { kind: 'refused', line: entry.line, reason };
    }
    const balances = [opening, closing].map((balance) => balance && inMinor(balance, currency));
    const wrong = balances.find((balance) => typeof balance === 'string');
    if (typeof wrong === 'string') {
      yield { kind: 'refused', line, reason: `Account ${account}: ${wrong}`, records };
      return;
    }
    const [opens, closes] = balances.filter((balance) => typeof balance !== 'string');
    yield this.#statement(account, currency, booked, opens, closes);
  }

  #statement(
    account: string,
    currency: string,
    booked: readonly CamtEntry[],
    opens: DecodedBalance | undefined,
    closes: DecodedBalance | undefined,
  ): Decoded {
    const entries: DecodedEntry[] = [];
    const faults: EntryFault[] = [];
    for (const entry of booked) {
      const read = decodedEntry(entry, currency, opens, closes);
      if ('reason' in read) faults.push(read);
      else entries.push(read);
    }
    const derived = closes && !opens && faults.length === 0 ? openingFrom(closes, entries) : opens;
    const unfinished = this.#unfinished(opens, closes);
    return {
      kind: 'statement',
      line: this.#line,
      account,
      currency,
      entries,
      faults,
      ...(derived && { opening: derived }),
      ...(closes && { closing: closes }),
      ...(unfinished !== undefined && { unfinished }),
    };
  }

  /** A sentence when a booked balance or an entry is in another currency than the account. */
  #foreign(currency: string | undefined): string | undefined {
    const other = [...this.#balances, ...this.#entries].find(
      (each) => each.currency !== '' && each.currency !== currency,
    );
    return (
      other &&
      `The account is in ${currency}, but line ${other.line} has an amount in ${other.currency.slice(0, 10)}; an account has one currency.`
    );
  }

  /** Why no day can be closed: pages are missing, or the closing balance is. */
  #unfinished(opens: DecodedBalance | undefined, closes: DecodedBalance | undefined): string | undefined {
    if (closes === undefined) {
      return opens ? 'The statement has no booked closing balance (CLBD).' : undefined;
    }
    const isPart = (type: string) => this.#balances.some((balance) => balance.type === type && balance.isIntermediate);
    if (isPart('CLBD') || textAt(this.#page, 'LastPgInd') === 'false') {
      return 'The statement goes on on another page, without which no day can be closed.';
    }
    return isPart('OPBD') ? 'The statement continues another page, without which no day can be closed.' : undefined;
  }
}

/** A statement is of all entries of its time by definition, so what it opened with follows. */
function openingFrom(closes: DecodedBalance, entries: readonly DecodedEntry[]): DecodedBalance {
  const dates = [closes.date, ...entries.map(({ date }) => date)].sort();
  const minor = entries.reduce((rest, entry) => rest - entry.minor, closes.minor);
  return { line: closes.line, minor, date: dates[0] ?? closes.date };
}

function decodedEntry(
  entry: CamtEntry,
  currency: string,
  opens: DecodedBalance | undefined,
  closes: DecodedBalance | undefined,
): DecodedEntry | EntryFault {
  const { line, bookedOn, valuedOn } = entry;
  // A value date is the booking date only as long as the statement covers it.
  const covered = valuedOn !== undefined && (!opens || valuedOn >= opens.date) && (!closes || valuedOn <= closes.date);
  const date = bookedOn ?? (covered ? valuedOn : closes?.date);
  const fault = entry.dateFault ?? camtAmountFault(entry, currency);
  if (fault !== undefined || date === undefined) {
    return { line, date: entry.dateFault ? undefined : date, reason: fault ?? 'The entry has no date (BookgDt).' };
  }
  const minor = inMinor({ ...entry, date }, currency);
  if (typeof minor === 'string') return { line, date, reason: minor };
  const { description, kind, reference } = entry;
  return { line, date, minor: minor.minor, description, kind, reference, balance: null };
}
