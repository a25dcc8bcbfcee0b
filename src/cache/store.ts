// The one port between the engine and what holds entries: Redis, or memory of this process. Every operation first
// checks the partition's guard and does nothing at all on a mismatch; each is atomic per partition.
import type { CacheUnavailable } from './errors.js';
import type { MemberChange, Part } from './part.js';
import type { EntryRef, Shape } from './view.js';

/** What a partition must show to be believed: one life of one master, its epoch, and its generation of entries. */
export interface Guard {
  readonly incarnation: string;
  readonly epoch: string;
  readonly generation: string;
}

export interface GuardedPartition {
  readonly partition: number;
  readonly guard: Guard;
}

export interface ReadItem {
  readonly view: string;
  readonly key: string;
  /** `variant@format` of the value wanted. */
  readonly field: string;
  /** Asked of entries with members. */
  readonly part?: Part | undefined;
  /** What the lease token is made of if the entry must be refilled and nobody else does it. */
  readonly secret: string;
  /** The stamp of a value that the reader has: where it is this one that stands, it is not moved. */
  readonly known?: string | undefined;
}

/** Names the value to be renewed, and what the token to be granted is made of. */
export type RenewItem = Omit<ReadItem, 'part' | 'known'>;

export interface Hit {
  readonly kind: 'hit';
  readonly version: string;
  readonly changedAtMs: number;
  readonly ageMs: number;
  /** The whole life that the entry was given. */
  readonly ttlMs: number;
  /** Null says: known not to exist. */
  readonly value: string | null;
  /** The part asked for. */
  readonly members: readonly (string | null)[];
  /** Rows, fields or members in the whole. */
  readonly count: number;
  /** Tells this value from any other that was stored here, also from one of the same version. */
  readonly stamp: string;
}

export type ReadReply =
  | Hit
  /** A hit on the very value that is known. */
  | { readonly kind: 'same'; readonly ageMs: number; readonly ttlMs: number }
  /** This token now stands: its caller may fill, once the transactions in `xids` have ended in its snapshot. */
  | { readonly kind: 'lease'; readonly token: string; readonly xids: readonly string[] }
  /** Another caller fills. */
  | { readonly kind: 'busy' }
  /** A transaction is about to commit, or has not been seen to end yet: read SQL, do not fill. */
  | { readonly kind: 'fenced' };

/** The form in which a value is stored. */
export interface StoredValue {
  readonly view: string;
  readonly key: string;
  readonly field: string;
  readonly version: string;
  readonly changedAtMs: number;
  readonly ttlMs: number;
  /** Null stores "does not exist". */
  readonly value: string | null;
  readonly shape: Shape;
  /** Rows; members; or fields and values in turn. Null for a text, or where there is nothing. */
  readonly members: readonly string[] | null;
}

export interface FillItem extends StoredValue {
  readonly token: string;
}

export interface FenceItem {
  readonly view: string;
  readonly key: string;
}

export interface PublishItem extends StoredValue {
  readonly token: string;
  readonly xid: string;
}

/** A committed change of single members, made from version `from`. */
export interface PatchItem extends MemberChange {
  readonly view: string;
  readonly key: string;
  readonly field: string;
  readonly token: string;
  readonly xid: string;
  readonly from: string;
  readonly version: string;
  readonly changedAtMs: number;
  readonly ttlMs: number;
  /** Fields or members in the whole, afterwards. */
  readonly count: number;
}

/** Removes what is older than `version`, and with it any lease; and fences. Version `0` only lifts. */
export interface DropItem {
  readonly view: string;
  readonly key: string;
  readonly version: string;
  /** A transaction, all of whose fences go; or one fence, as {@link fenceOf} names it. */
  readonly xid: string;
  /** The token of a lease that is given back: beside a value no other goes. */
  readonly lease?: string;
}

/**
 * Per partition: the guard did not hold and nothing happened; or its master did not confirm, and whether anything
 * happened is unknown; or one reply per item.
 */
export type Guarded<Reply> =
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'unavailable'; readonly error: CacheUnavailable }
  | { readonly kind: 'done'; readonly replies: readonly Reply[] };

export interface Meta {
  /** The life of the master that answers, found by asking it; undefined where a replica answers. */
  readonly incarnation: string | undefined;
  /** What the meta key holds; undefined where there is none. */
  readonly stored: (Guard & { readonly cursor: string }) | undefined;
}

export interface EntryFacts {
  readonly version: string | undefined;
  readonly state: 'absent' | 'fresh' | 'fenced' | 'leased';
  readonly ageMs: number | undefined;
  readonly ttlMs: number | undefined;
  readonly bytes: number;
}

export interface StandingFence {
  readonly view: string;
  readonly key: string;
  /** As {@link fenceOf} names them. */
  readonly fences: readonly string[];
}

/**
 * Times out instead of hanging. Never re-sends. What goes to several partitions never rejects: each one whose master is
 * out of reach says so itself. The rest throws `CacheUnavailable`.
 */
export interface Store {
  readonly kind: 'redis' | 'memory';
  /** All batches in one round-trip. */
  read(batches: readonly (GuardedPartition & { readonly items: readonly ReadItem[] })[]): Promise<Guarded<ReadReply>[]>;
  /**
   * The stamp of each value that stands unfenced, in whatever format and whether or not all of its members are left; undefined
   * where none does. Moves no value, changes nothing.
   */
  standing(
    batches: readonly (GuardedPartition & { readonly items: readonly EntryRef[] })[],
  ): Promise<Guarded<string | undefined>[]>;
  /**
   * Grants the one lease token of entries that stand whole in the last part of their life, unfenced and with no live
   * token, so that they are loaded anew before they expire; readers go on hitting what stands. Undefined where not.
   */
  renew(
    batches: readonly (GuardedPartition & { readonly items: readonly RenewItem[] })[],
  ): Promise<Guarded<string | undefined>[]>;
  /**
   * Stores a value while its token stands, and tells its stamp; undefined where it was not stored. Where there is no memory for
   * it: unavailable, of the kind `memory`.
   */
  fill(
    batches: readonly (GuardedPartition & { readonly items: readonly FillItem[] })[],
  ): Promise<Guarded<string | undefined>[]>;
  /**
   * Hides entries from readers until the transaction `xid` has ended. Gives the write token, made of `secret`, that took
   * the token slot of each.
   */
  fence(
    batches: readonly (GuardedPartition & { readonly items: readonly FenceItem[] })[],
    xid: string,
    secret: string,
  ): Promise<Guarded<string>[]>;
  /** Stores a committed value while its write token stands; else, or where memory is short, drops what is older. */
  publish(
    batches: readonly (GuardedPartition & { readonly items: readonly PublishItem[] })[],
  ): Promise<Guarded<'published' | 'dropped'>[]>;
  /**
   * Changes single members while the write token stands on the version that they change; else, or where memory is short,
   * drops what is older.
   */
  patch(
    batches: readonly (GuardedPartition & { readonly items: readonly PatchItem[] })[],
  ): Promise<Guarded<'published' | 'dropped'>[]>;
  drop(batches: readonly (GuardedPartition & { readonly items: readonly DropItem[] })[]): Promise<Guarded<'dropped'>[]>;
  /** Of each partition; undefined where nobody answered. Never rejects. */
  meta(partitions: readonly number[]): Promise<(Meta | undefined)[]>;
  /** Sets the meta of a partition that has none, another incarnation's, or one of a lower epoch; false where it did not. */
  begin(partition: number, guard: Guard, cursor: string): Promise<boolean>;
  /** Moves the cursor by compare-and-set, under the guard. Never rejects: unconfirmed counts as not moved. */
  advance(batches: readonly (GuardedPartition & { readonly from: string; readonly to: string })[]): Promise<boolean[]>;
  /** Entries of this partition fenced for longer than `olderThanMs`. */
  standingFences(partition: GuardedPartition, olderThanMs: number): Promise<readonly StandingFence[]>;
  /** What is left of an entry, fenced or not, of whatever generation; undefined where nothing is. Nobody vouches for it. */
  peek(partition: number, item: Omit<ReadItem, 'secret' | 'known'>): Promise<Hit | undefined>;
  inspect(partition: GuardedPartition, view: string, key: string, field: string): Promise<EntryFacts>;
  close(): Promise<void>;
}

/**
 * The one fence that the write token of transaction `xid` was granted with. A crash of Postgres may give the id of a
 * transaction that it undid to another: who ends a fence that its transaction has not committed must name it so.
 */
export const fenceOf = (xid: string, token: string): string => `${xid}${token.slice(token.lastIndexOf('.'))}`;

/** The transaction of a fence. */
export const xidOf = (fence: string): string => fence.slice(0, fence.indexOf('.'));

/** Readers of a fence younger than this read SQL without taking the token: its writer is about to publish. */
export const FENCE_GRACE_MS = 100;
/** After this share of its life an entry may be renewed: before it, a renewal would only cost SQL. */
export const RENEW_AFTER = 0.8;
/** How long one caller has to refill before another may be asked to. Liveness only. */
export const LEASE_MS = 3_000;
