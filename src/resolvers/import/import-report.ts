// What an import did, in the form that `espelho import --json` prints. Counts are exact; the list of errors is
// bounded, so that a file of nothing but errors cannot fill the memory.

export interface ImportError {
  readonly file: string;
  /** From 1; 0 stands for the file as a whole. */
  readonly line: number;
  readonly reason: string;
}

/** `read` is the sum of `written`, `unchanged` and `refused`. */
export interface ImportReport {
  readonly read: number;
  readonly written: number;
  readonly unchanged: number;
  readonly refused: number;
  readonly errors: readonly ImportError[];
}

/**
 * A report, and whether anything in the database is other than before (after a dry run: would be): an import may also
 * close a day, or remove items, without writing a record.
 */
export interface ImportOutcome extends ImportReport {
  readonly changed: boolean;
}

/** Several imports as one. */
export function joined(outcomes: readonly ImportOutcome[]): ImportOutcome {
  const sum = (count: 'read' | 'written' | 'unchanged' | 'refused') =>
    outcomes.reduce((total, outcome) => total + outcome[count], 0);
  return {
    read: sum('read'),
    written: sum('written'),
    unchanged: sum('unchanged'),
    refused: sum('refused'),
    errors: outcomes.flatMap(({ errors }) => errors),
    changed: outcomes.some(({ changed }) => changed),
  };
}

/** Gathers a report while an import runs. */
export class ImportTally {
  /** Whether anything in the database was changed. Writing records says so too. */
  changed = false;
  readonly #maxErrors: number;
  #written = 0;
  #unchanged = 0;
  #refused = 0;
  readonly #refusals: ImportError[] = [];
  readonly #notes: ImportError[] = [];
  #unlisted = 0;
  #lastUnlisted: ImportError | undefined;

  /** Lists the first `maxErrors` refusals and as many notes, and counts the rest; 10,000 of them are about 3 MB. */
  constructor(maxErrors = 10_000) {
    this.#maxErrors = maxErrors;
  }

  /** How many errors were counted without being listed. */
  get unlisted(): number {
    return this.#unlisted;
  }

  /** Counts records as read and written. */
  write(records = 1): void {
    this.changed ||= records > 0;
    this.#written += records;
  }

  /** Counts records as read and found to be in the database already. */
  keep(records = 1): void {
    this.#unchanged += records;
  }

  /** Counts records as read and refused, all for the one reason given. */
  refuse(error: ImportError, records = 1): void {
    this.#refused += records;
    this.#list(this.#refusals, error);
  }

  /** Reports something about a record that is counted elsewhere, such as a day that was written but stays OPEN. */
  note(error: ImportError): void {
    this.#list(this.#notes, error);
  }

  /** Adds another import's counts and errors, which come after the ones here. */
  merge(other: ImportTally): void {
    this.changed ||= other.changed;
    this.#written += other.#written;
    this.#unchanged += other.#unchanged;
    this.#refused += other.#refused;
    for (const error of other.#refusals) this.#list(this.#refusals, error);
    for (const error of other.#notes) this.note(error);
    this.#unlisted += other.#unlisted;
    this.#lastUnlisted = other.#lastUnlisted ?? this.#lastUnlisted;
  }

  /** The report so far, with whether anything changed. */
  outcome(): ImportOutcome {
    return { ...this.report(), changed: this.changed };
  }

  /** The report so far, refusals before notes. When errors went unlisted, one more at the end says how many and shows the last of them. */
  report(): ImportReport {
    const rest = this.#lastUnlisted && {
      ...this.#lastUnlisted,
      reason: `${this.#unlisted} more were counted without being listed; the last is: ${this.#lastUnlisted.reason}`,
    };
    return {
      read: this.#written + this.#unchanged + this.#refused,
      written: this.#written,
      unchanged: this.#unchanged,
      refused: this.#refused,
      errors: [...this.#refusals, ...this.#notes, ...(rest ? [rest] : [])],
    };
  }

  #list(list: ImportError[], { file, line, reason }: ImportError): void {
    if (list.length < this.#maxErrors) list.push({ file, line, reason });
    else {
      this.#unlisted += 1;
      this.#lastUnlisted = { file, line, reason };
    }
  }
}
