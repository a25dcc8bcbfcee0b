// Finds the header of a delimited statement and says what its columns are, by the names that banks give them in
// Portuguese, English, German and Spanish.

import { CsvReader, type CsvRow } from './csv-rows.js';
import { StatementFault } from './errors.js';

/** What a column holds. Of `description` and `document` there may be several. */
export type CsvRole =
  | 'date'
  | 'valueDate'
  | 'description'
  | 'amount'
  | 'debit'
  | 'credit'
  | 'direction'
  | 'type'
  | 'balance'
  | 'id'
  | 'document'
  | 'currency'
  | 'account'
  | 'state'
  | 'fee';

export interface CsvLayout {
  readonly delimiter: string;
  /** The line of the header; entries stand below it. */
  readonly line: number;
  readonly columns: ReadonlyMap<CsvRole, readonly number[]>;
  /** ISO 4217, where the header says what amounts are in. */
  readonly currency: string | undefined;
  /** Whether the names are of a language that writes the day before the month. */
  readonly dayFirst: boolean;
  /** An account number that stands above the header. */
  readonly account: string | undefined;
}

const HEADER_ROWS = 60;

/** The layout of the text that begins with `head`; undefined when no row of it is a header that names date and amount. */
export function csvLayoutOf(head: string): CsvLayout | undefined {
  for (const delimiter of [';', '\t', ',', '|']) {
    const rows = firstRowsOf(head, delimiter);
    for (const [at, { line, cells }] of rows.entries()) {
      const columns = columnsOf(cells);
      const hasAmount = columns.has('amount') || (columns.has('debit') && columns.has('credit'));
      if (!columns.has('date') || !hasAmount) continue;
      const dayFirst = cells.some((cell) => foreignNames.test(plainName(cell)));
      const currency = currencyIn(cells.join(' '));
      return { delimiter, line, columns, currency, dayFirst, account: accountAbove(rows.slice(0, at)) };
    }
  }
  return undefined;
}

const names: readonly (readonly [CsvRole, string])[] = [
  [
    'date',
    `data|data lancamento|data do lancamento|data mov|data movimento|data movimentacao|
    data da movimentacao|data contabil|data transacao|data da transacao|data operacao|
    data da operacao|data hora|data e hora|dt|dt lancamento|dt movimento|dia|date|booking date|
    transaction date|posting date|posted date|date posted|posted|date booked|completed date|
    entry date|post date|buchungstag|buchungsdatum|buchung|datum|fecha|fecha operacion|
    fecha contable`,
  ],
  [
    'valueDate',
    `data valor|data balancete|data do balancete|value date|valuta|valutadatum|wertstellung|
    wertstellungstag|fecha valor`,
  ],
  [
    'description',
    `descricao|historico|lancamento|lancamentos|description|details|detalhes|detalhe|memo|narrative|
    narration|payee|buchungstext|verwendungszweck|umsatztext|beguenstigter zahlungspflichtiger|
    begunstigter zahlungspflichtiger|name zahlungsbeteiligter|auftraggeber empfanger|
    zahlungsempfanger in|zahlungsempfanger|empfanger|titulo|title|name|transaction description|
    favorecido|complemento|estabelecimento|merchant|counterparty|counterparty name|concepto|
    descripcion|text|particulars|remittance information|mensagem|message`,
  ],
  [
    'amount',
    `valor|valor lancamento|valor do lancamento|valor da transacao|valor transacao|amount|
    transaction amount|betrag|montante|quantia|value|umsatz|importe|net amount`,
  ],
  [
    'debit',
    `debito|debitos|valor debito|debit|debits|debit amount|soll|saida|saidas|withdrawal|withdrawals|
    money out|paid out|ausgang|belastung|cargo|dr`,
  ],
  [
    'credit',
    `credito|creditos|valor credito|credit|credits|credit amount|haben|entrada|entradas|deposit|
    deposits|money in|paid in|eingang|gutschrift|abono|cr`,
  ],
  [
    'direction',
    `d c|dc|c d|debito credito|credito debito|dr cr|cr dr|debit credit|credit debit|soll haben|
    natureza|sinal|s h|credit debit indicator|deb cred`,
  ],
  [
    'type',
    `tipo|tipo lancamento|tipo de lancamento|tipo transacao|tipo de transacao|tipo movimento|type|
    transaction type|umsatzart|art|buchungsart`,
  ],
  [
    'balance',
    `saldo|saldo final|saldo atual|saldo do dia|balance|running balance|account balance|
    closing balance|kontostand|saldo nach buchung|saldo contabil`,
  ],
  [
    'id',
    `id|identificador|id transacao|id da transacao|transaction id|fitid|uuid|codigo da transacao|
    transaction reference|bank reference|end to end id`,
  ],
  [
    'document',
    `documento|n documento|no documento|numero documento|numero do documento|nr documento|
    num documento|docto|dcto|doc|num doc|reference|referencia|referenz|ref|kundenreferenz|
    kundenreferenz end to end|cheque number|check number`,
  ],
  ['currency', 'moeda|currency|wahrung|waehrung|divisa|ccy|moneda'],
  [
    'account',
    // Not IBAN, Konto or Kontonummer alone, under which banks write the account of the other side too.
    `conta|conta corrente|numero da conta|n conta|nr conta|account|account number|account no|
    account id|account iban|own account|cuenta|auftragskonto|iban auftragskonto`,
  ],
  ['state', 'state|status|situacao|estado|info'],
  ['fee', 'fee|fees'],
];

const roles: ReadonlyMap<string, CsvRole> = new Map(
  names.flatMap(([role, list]) => list.split('|').map((name) => [name.trim(), role] as const)),
);

/** Names of the languages that write 31/12, in a header. */
const foreignNames =
  /^(?:data|valor|saldo|descricao|historico|lancamento|documento|conta|moeda|buchung|betrag|umsatz|wert|kontostand|fecha|importe|datum)/;

/** The name of a column without accents, signs, case, and what stands in brackets. */
function plainName(cell: string): string {
  return cell
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/\([^)]*\)|r\$|[$€£]|\bin (?:eur|usd|chf|gbp|brl)\b/g, ' ')
    .replaceAll(/[^a-z0-9]+/g, ' ')
    .trim();
}

function columnsOf(cells: readonly string[]): Map<CsvRole, number[]> {
  const columns = new Map<CsvRole, number[]>();
  for (const [at, cell] of cells.entries()) {
    const role = roles.get(plainName(cell));
    if (role === undefined) continue;
    const same = columns.get(role) ?? [];
    // Of two columns for one fact the first is meant; texts are put together.
    if (same.length === 0 || role === 'description' || role === 'document') columns.set(role, [...same, at]);
  }
  return columns;
}

const signs: readonly (readonly [RegExp, string])[] = [
  [/R\$/, 'BRL'],
  [/€/, 'EUR'],
  [/£/, 'GBP'],
];

/** The currency that a text names by its code in brackets or after "in", or by a sign that only one currency has. */
export function currencyIn(text: string): string | undefined {
  const [, bracketed, named] = /[([]([A-Z]{3})[)\]]|\bin ([A-Z]{3})\b/.exec(text) ?? [];
  return bracketed ?? named ?? signs.find(([sign]) => sign.test(text))?.[1];
}

const accountLabel =
  /^(?:n[ºo°.]*\s*(?:da\s*)?)?(?:conta(?: corrente)?|account(?: number| no\.?)?|iban|konto(?:nummer)?|cuenta)\b\s*[:#]?\s*(.*)$/i;

/** What follows a name such as "Conta:" above the header, in the same field or the next. */
function accountAbove(rows: readonly CsvRow[]): string | undefined {
  for (const { cells } of rows) {
    for (const [at, cell] of cells.entries()) {
      const [, same] = accountLabel.exec(cell) ?? [];
      if (same === undefined) continue;
      const given = same === '' ? (cells[at + 1] ?? '') : same;
      if (/\d/.test(given)) return given.trim();
    }
  }
  return undefined;
}

/** The first rows of a text that may break off in the last one; what is no row ends them. */
function firstRowsOf(head: string, delimiter: string): CsvRow[] {
  const reader = new CsvReader(delimiter);
  const rows: CsvRow[] = [];
  try {
    for (const line of head.split(/(?<=\n)/)) {
      rows.push(...reader.push(line));
      if (rows.length >= HEADER_ROWS) return rows;
    }
    return [...rows, ...reader.end()];
  } catch (error) {
    if (error instanceof StatementFault) return rows;
    throw error;
  }
}
