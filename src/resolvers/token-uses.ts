// When tokens were last used: noted in memory and written in batches, apart from the tokens, because a use must not
// change the cached token. Each token is written at most once a minute; what was noted since is lost with the process.
import { findTokenUses, noteTokenUses, type Query } from '../db/index.js';

const FLUSH_MS = 5_000;
const EVERY_MS = 60_000;
/** More tokens than this in one interval are written early. */
const MAX_NOTED = 10_000;
/** Of at least so many tokens the last note is remembered, of twice as many at most; of others Postgres knows it. */
const MAX_REMEMBERED = 50_000;

export class TokenUses {
  readonly #query: Query;
  #noted = new Map<string, number>();
  /** Unix milliseconds of the use that was noted last, by token. */
  #remembered = new Map<string, number>();
  #older = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(query: Query) {
    this.#query = query;
  }

  /** Notes that the token was used at `atMs` (Unix milliseconds), unless a use within the minute before is noted. */
  note(id: string, atMs: number): void {
    const lastMs = this.#remembered.get(id) ?? this.#older.get(id);
    if (lastMs !== undefined && atMs - lastMs < EVERY_MS) return;
    if (this.#remembered.size >= MAX_REMEMBERED) {
      this.#older = this.#remembered;
      this.#remembered = new Map();
    }
    this.#remembered.set(id, atMs);
    this.#noted.set(id, atMs);
    if (this.#noted.size >= MAX_NOTED) void this.flush();
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  /** The latest noted use of each token that has been used, what is not written yet included. */
  async lastUsed(ids: readonly string[]): Promise<ReadonlyMap<string, Date>> {
    const uses = new Map(await findTokenUses(this.#query, ids));
    for (const id of ids) {
      const notedMs = this.#noted.get(id);
      if (notedMs !== undefined && notedMs > (uses.get(id)?.getTime() ?? 0)) uses.set(id, new Date(notedMs));
    }
    return uses;
  }

  /** Writes what is noted; what cannot be written is noted again. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const uses = this.#noted;
    if (uses.size === 0) return;
    this.#noted = new Map();
    try {
      await noteTokenUses(this.#query, uses, EVERY_MS);
    } catch {
      for (const [id, atMs] of this.#noted) uses.set(id, atMs);
      if (uses.size >= MAX_NOTED) return;
      this.#noted = uses;
      this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
    }
  }
}
