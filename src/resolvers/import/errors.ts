// What stops an import as a whole; faults of single records are in its report instead.

/** Nothing of the import was written, or nothing can be; the sentence says what to do. */
export class ImportFailed extends Error {
  override readonly name = 'ImportFailed';
  readonly code = 'IMPORT_FAILED';
}

/** A statement file, or one record of it, that cannot be taken; `line` is where it stands. */
export class StatementFault extends Error {
  override readonly name = 'StatementFault';
  readonly code = 'STATEMENT_FAULT';
  readonly line: number;

  constructor(line: number, reason: string) {
    super(reason);
    this.line = line;
  }
}
