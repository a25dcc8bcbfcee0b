// What the checker is told of writes and reads, and what it reports.
export type Author = 'gateway' | 'edit';

export interface Answer {
  /** Null where nothing stands under the key. */
  readonly value: string | null;
  /** Undefined where the answer does not show one. */
  readonly version?: number | undefined;
  /** Marked stale by the gateway: not held to the pledge, but counted. */
  readonly stale?: boolean | undefined;
}

export type ViolationKind =
  /** Older than the newest write acknowledged as visible before the read began. */
  | 'stale'
  /** Older than what an earlier read had shown, with nothing that would excuse it. */
  | 'inversion'
  /** Nobody wrote it. */
  | 'invented'
  /** Its writer was told that nothing was written. */
  | 'phantom'
  /** A value under the version of another write. */
  | 'mismatch';

export interface Violation {
  readonly kind: ViolationKind;
  readonly key: string;
  readonly reader: string;
  readonly read: Answer;
  /** What was acknowledged, or seen, before; or what the version should have been. */
  readonly against: { readonly version: number | undefined; readonly value: string | null | undefined };
  readonly beganMs: number;
  readonly endedMs: number;
  readonly againstMs: number | undefined;
}

/** One write on its way; exactly one of these ends it, except that `commit` may come before `acknowledge`. */
export interface Write {
  /** Committed under `version`; visible says that every later read must show it. */
  readonly acknowledge: (version: number, visible: boolean) => void;
  /** The writer was told that nothing was written. */
  readonly refuse: () => void;
  /** Nobody knows. */
  readonly lose: () => void;
}
