// Large values on their way into Redis. What would keep one script busy for long is put aside in chunks, each a script
// and a round-trip of its own, and renamed into place by the script that stores the value, if all of it is there.
import { randomBytes } from 'node:crypto';
import { guardArgs } from './redis-arguments.js';
import type { Exchange } from './redis-exchange.js';
import type { RedisKeys } from './redis-keys.js';
import { decoded, guardedReplies, word } from './redis-replies.js';
import { scripts } from './scripts.js';
import type { GuardedPartition, StoredValue } from './store.js';

/** What one script may store: some milliseconds of Redis's time. */
export const SCRIPT_WORDS = 5_000;
const SCRIPT_LENGTH = 1_000_000;
/** What one chunk may have: about a millisecond. Even, because fields and values go in pairs. */
const CHUNK_WORDS = 1_000;
const CHUNK_LENGTH = 250_000;
/** What nobody puts in its place goes by itself. */
const STAGED_MS = 10_000;
/** How long after a chunk the token stays with who sent it. Liveness only. */
const HOLD_MS = 1_000;

export class Staging {
  readonly #exchange: Exchange;
  readonly #keys: RedisKeys;

  constructor(exchange: Exchange, keys: RedisKeys) {
    this.#exchange = exchange;
    this.#keys = keys;
  }

  /**
   * Puts aside what is too much for the one script that stores `items`. Resolves to the key of each item that was, at
   * its place, also where not all of it could be: the script that stores it counts. Sends nothing after `deadlineMs`.
   */
  async stage(
    where: GuardedPartition,
    items: readonly (StoredValue & { readonly token: string })[],
    deadlineMs: number,
  ): Promise<readonly (string | undefined)[]> {
    const staged: (string | undefined)[] = [];
    let [words, length] = [0, 0];
    for (const item of items) {
      const members = item.members ?? [];
      words += members.length;
      length += lengthOf(members);
      if (words <= SCRIPT_WORDS && length <= SCRIPT_LENGTH) {
        staged.push(undefined);
        continue;
      }
      words -= members.length;
      length -= lengthOf(members);
      staged.push(await this.#put(where, item, members, deadlineMs));
    }
    return staged;
  }

  async #put(
    { partition, guard }: GuardedPartition,
    item: StoredValue & { readonly token: string },
    members: readonly string[],
    deadlineMs: number,
  ): Promise<string> {
    const key = this.#keys.staged(partition, randomBytes(16).toString('base64url'));
    const [entry = ''] = this.#keys.entries(partition, [item]);
    let before = 0;
    for (const chunk of chunksOf(members)) {
      if (performance.now() > deadlineMs) break;
      const args = [...guardArgs(guard), item.token, HOLD_MS, STAGED_MS, item.shape, before, ...chunk];
      const call = { script: scripts.stage, partition, keys: [this.#keys.meta(partition), key, entry], args };
      const [answer] = await this.#exchange.send('reads', [call]);
      const reply = answer && decoded(answer, (each) => guardedReplies(each, word('staged', 'lost')));
      const isThere = reply?.kind === 'decoded' && reply.value.kind === 'done' && reply.value.replies[0] === 'staged';
      if (!isThere) break;
      before += item.shape === 'hash' ? chunk.length / 2 : chunk.length;
    }
    return key;
  }
}

function* chunksOf(words: readonly string[]): Generator<readonly string[]> {
  let from = 0;
  let length = 0;
  for (let at = 0; at < words.length; at += 2) {
    const pair = lengthOf(words.slice(at, at + 2));
    if (at > from && (at - from >= CHUNK_WORDS || length + pair > CHUNK_LENGTH)) {
      yield words.slice(from, at);
      [from, length] = [at, 0];
    }
    length += pair;
  }
  yield words.slice(from);
}

function lengthOf(words: readonly string[]): number {
  let length = 0;
  for (const word of words) length += word.length;
  return length;
}
