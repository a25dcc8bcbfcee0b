// Counts answered requests since the process began, by path, kind of operation and outcome.

export interface Count {
  /** As it may be told. */
  readonly path: string;
  readonly type: string;
  /** `ok`, the code of the first error, or where there is none the HTTP status. */
  readonly outcome: string;
  readonly count: number;
}

type Counter = { -readonly [Name in keyof Count]: Count[Name] };

export class Tally {
  readonly #counts = new Map<string, Counter>();
  #latest: Counter | undefined;

  count(path: string, type = 'none', status: number, code: string | undefined): void {
    const outcome = code ?? (status < 400 ? 'ok' : String(status));
    const latest = this.#latest; // most often it is the same again
    if (latest?.path === path && latest.type === type && latest.outcome === outcome) {
      latest.count++;
      return;
    }
    const name = `${path} ${type} ${outcome}`;
    const counted = this.#counts.get(name) ?? { path, type, outcome, count: 0 };
    counted.count++;
    this.#counts.set(name, counted);
    this.#latest = counted;
  }

  get counts(): readonly Count[] {
    return [...this.#counts.values()];
  }
}
