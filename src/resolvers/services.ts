// The services of the process, as resolvers use them.
import type { Cache } from '../cache/index.js';
import type { Db, Query, Reader } from '../db/index.js';
import type { MasterKey } from './envelope.js';
import type { TokenUses } from './token-uses.js';

export interface Services {
  /** By which the other gateways know this one. */
  readonly gatewayId: string;
  readonly cache: Cache<Query>;
  readonly db: Db;
  /** Sees nothing of accounts and their statements. */
  readonly query: Query;
  /** Sees of accounts and their statements what the reader may. */
  readonly queryAs: (reader: Reader) => Query;
  readonly tokenUses: TokenUses;
  /** Key of the token digests. */
  readonly pepper: string;
  /** Key of the envelopes that secrets are kept in. */
  readonly masterKey: MasterKey;
  /** Key of the signatures on cursors. */
  readonly cursorKey: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}
