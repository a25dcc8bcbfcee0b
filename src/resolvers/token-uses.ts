// When tokens were last used: noted in memory and written in batches, apart from the tokens, because a use must not
// change the cached token. What was noted since the last batch is lost with the process.
import { findTokenUses, noteTokenUses, type Query } from '../db/index.js';

const FLUSH_MS = 5_000;
/** More tokens than this in one interval are written early. */
const MAX_NOTED = 10_000;

export class TokenUses {
  readonly #query: Query;
  #noted = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(query: Query) {
    this.#query = query;
  }

  /** Notes that the token was used at `atMs` (Unix milliseconds). */
  note(id: string, atMs: number): void {
    this.#noted.set(id, atMs);
    if (this.#noted.size >= MAX_NOTED) void this.flush();
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  /** The latest use of each token that has been used, what is noted here included. */
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
      await noteTokenUses(this.#query, uses);
    } catch {
      for (const [id, atMs] of this.#noted) uses.set(id, atMs);
      if (uses.size < MAX_NOTED) this.#noted = uses;
    }
  }
}
