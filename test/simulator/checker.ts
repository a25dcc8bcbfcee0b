// What must be true of any schedule, per key. Every commit has its place in the history of its key; a read is judged by the
// place of the version that it returned.

export type Kind =
  /** Older than the newest write acknowledged as visible before the read began. */
  | 'stale'
  /** Older than what another read had returned before it began, although a confirmed fence hid it. */
  | 'inversion'
  /** Never committed. */
  | 'future'
  /** A value that is not the one committed under its version. */
  | 'torn'
  /** Acknowledged, but not in Postgres. */
  | 'lost'
  /** After quiet, the store holds what SQL has moved on from. */
  | 'diverged'
  /** After quiet, a gateway does not trust its store. */
  | 'stuck';

export interface Violation {
  readonly kind: Kind;
  readonly key: string;
  readonly detail: string;
}

/** One committed version of one key. */
export interface Commit {
  readonly version: string;
  readonly value: string | null;
  /** The number of disturbances before its fence was confirmed; undefined where it was not fenced. */
  readonly fencedAt: number | undefined;
}

/** What a read must not fall behind, fixed when it begins. */
export interface Reading {
  readonly key: string;
  readonly acknowledged: number;
  readonly told: number;
}

interface History {
  readonly commits: Commit[];
  readonly places: Map<string, number>;
  acknowledged: number;
  /** The newest place that a finished read has returned. */
  told: number;
}

export class Checker {
  readonly violations: Violation[] = [];
  reads = 0;
  commits = 0;
  acknowledgements = 0;
  /** Times that Redis may have gone back or lost what it held: a fence from before may be gone. */
  disturbances = 0;
  readonly #histories = new Map<string, History>();

  committed(key: string, commit: Commit): void {
    const { commits, places } = this.#of(key);
    this.commits++;
    places.set(commit.version, commits.length);
    commits.push(commit);
  }

  /** From now on every read of `key` must return this version or a newer one. */
  acknowledge(key: string, version: string): void {
    const history = this.#of(key);
    const place = history.places.get(version);
    this.acknowledgements++;
    if (place === undefined) this.#report('lost', key, `version ${version} was acknowledged but never committed`);
    else history.acknowledged = Math.max(history.acknowledged, place);
  }

  /** Call it when a read begins. */
  beginRead(key: string): Reading {
    const { acknowledged, told } = this.#of(key);
    return { key, acknowledged, told };
  }

  /** Call it with what the read returned. */
  endRead({ key, acknowledged, told }: Reading, version: string, value: string | null): void {
    this.reads++;
    const history = this.#of(key);
    const place = version === '0' ? -1 : history.places.get(version);
    const commit = history.commits[place ?? -1];
    if (place === undefined) {
      this.#report('future', key, `version ${version} was never committed`);
      return;
    }
    if (value !== (commit?.value ?? null))
      this.#report('torn', key, `version ${version} is ${commit?.value}, not ${value}`);
    if (place < acknowledged) {
      const newest = history.commits[acknowledged]?.version;
      this.#report('stale', key, `version ${version} was read, ${newest} had been acknowledged before the read began`);
    }
    const hidden = history.commits.slice(place + 1, told + 1).find(({ fencedAt }) => fencedAt === this.disturbances);
    if (hidden) {
      const newer = history.commits[told]?.version;
      this.#report(
        'inversion',
        key,
        `version ${version} was read after ${newer}, although ${hidden.version} was fenced`,
      );
    }
    history.told = Math.max(history.told, place);
  }

  /** What SQL holds when all is over. */
  endsWith(key: string, version: string): void {
    const { commits } = this.#of(key);
    if ((commits.at(-1)?.version ?? '0') !== version) this.#report('lost', key, `SQL ends with version ${version}`);
  }

  /** What the store holds, unfenced, when all is over. */
  holds(key: string, version: string): void {
    const { commits } = this.#of(key);
    if ((commits.at(-1)?.version ?? '0') !== version)
      this.#report('diverged', key, `the store ends with version ${version}`);
  }

  stuck(who: string): void {
    this.#report('stuck', who, 'does not trust its store although nothing has been wrong for long');
  }

  #of(key: string): History {
    let history = this.#histories.get(key);
    if (!history) {
      history = { commits: [], places: new Map(), acknowledged: -1, told: -1 };
      this.#histories.set(key, history);
    }
    return history;
  }

  #report(kind: Kind, key: string, detail: string): void {
    this.violations.push({ kind, key, detail });
  }
}
