// Cuts delimited text into rows as RFC 4180 has them: quoted fields may hold delimiters, doubled quotes and newlines. A
// quote in the midst of an unquoted field is text.

import { StatementFault } from './errors.js';

export interface CsvRow {
  /** Where it begins. */
  readonly line: number;
  readonly cells: readonly string[];
}

const MAX_CELL = 64 * 2 ** 10;
const MAX_CELLS = 1_000;

/** Takes text piece by piece; where it is cut does not matter. */
export class CsvReader {
  readonly #delimiter: string;
  #cells: string[] = [];
  #cell = '';
  #state: 'start' | 'bare' | 'quoted' | 'quote' = 'start';
  #line = 1;
  #rowLine = 1;
  #lastWasReturn = false;

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  /** The rows that end in `chunk`. @throws {StatementFault} past a limit. */
  push(chunk: string): CsvRow[] {
    const rows: CsvRow[] = [];
    for (const character of chunk) {
      const isLineEnd = character === '\n' || character === '\r';
      if (character === '\n' && this.#lastWasReturn) {
        this.#lastWasReturn = false;
        continue;
      }
      this.#lastWasReturn = character === '\r';
      if (isLineEnd) this.#line += 1;
      if (this.#state === 'quoted') {
        if (character === '"') this.#state = 'quote';
        else this.#add(isLineEnd ? '\n' : character);
      } else if (character === '"' && (this.#state === 'quote' || this.#state === 'start')) {
        if (this.#state === 'quote') this.#add('"');
        this.#state = 'quoted';
      } else if (isLineEnd) {
        rows.push(this.#finish());
        this.#rowLine = this.#line;
      } else if (character === this.#delimiter) this.#endCell();
      else {
        if (this.#state !== 'start' || character.trim() !== '') this.#state = 'bare';
        this.#add(character);
      }
    }
    return rows;
  }

  /** The last row, where no newline ends it. @throws {StatementFault} inside a quoted field. */
  end(): CsvRow[] {
    if (this.#state === 'quoted') {
      throw new StatementFault(this.#rowLine, 'The row breaks off inside a quoted field; get the file whole.');
    }
    return this.#cells.length === 0 && this.#cell === '' && this.#state === 'start' ? [] : [this.#finish()];
  }

  #add(character: string): void {
    this.#cell += character;
    if (this.#cell.length > MAX_CELL) {
      throw new StatementFault(
        this.#rowLine,
        `A field of the row is longer than ${MAX_CELL} characters; a quote may be missing.`,
      );
    }
  }

  #endCell(): void {
    this.#cells.push(this.#cell.trim());
    this.#cell = '';
    this.#state = 'start';
    if (this.#cells.length > MAX_CELLS) {
      throw new StatementFault(
        this.#rowLine,
        `The row has more than ${MAX_CELLS} fields; check that the file is a statement.`,
      );
    }
  }

  #finish(): CsvRow {
    this.#endCell();
    const row = { line: this.#rowLine, cells: this.#cells };
    this.#cells = [];
    return row;
  }
}
