// Counts answered requests since the process began, by path, kind of operation and outcome.

export interface Counted {
  /** As it may be told. */
  readonly path: string;
  readonly type: string;
  /** `ok`, the code of the first error, or where there is none the HTTP status. */
  readonly outcome: string;
  readonly count: number;
}

export class Tally {
  readonly #counts = new Map<
    string,
    { readonly path: string; readonly type: string; outcome: string; count: number }
  >();

  count(path: string, type = 'none', status: number, code: string | undefined): void {
    const outcome = code ?? (status < 400 ? 'ok' : String(status));
    const name = `${path} ${type} ${outcome}`;
    const counted = this.#counts.get(name);
    if (counted) counted.count++;
    else this.#counts.set(name, { path, type, outcome, count: 1 });
  }

  get counts(): readonly Counted[] {
    return [...this.#counts.values()];
  }
}
