// A view is a read model, declared once: its name, its shape in Redis, how long it lives, and how to load many of it.
// The engine knows nothing else about a domain.

/** text: one document. list: rows in order, read by page. hash: fields, read singly. set: members, asked by membership. */
export type Shape = 'text' | 'hash' | 'list' | 'set';

/** In doubt, strict views ask Postgres or fail; available views may answer what is left in the store, marked stale. */
export type Mode = 'strict' | 'available';

/** What SQL says of one key, in one statement: value, version and the snapshot that both were read in. */
export interface Loaded {
  readonly key: string;
  /** Version of the root row, in decimal; `0` where the key never had one. */
  readonly version: string;
  /** When that version was written, in Unix milliseconds; 0 where there is none. */
  readonly changedAtMs: number;
  /** `pg_current_snapshot()` of the loading statement. */
  readonly snapshot: string;
  /** JSON text; null when nothing is stored under the key. */
  readonly value: string | null;
  /**
   * Of a list, its rows in order, each JSON text; of a hash, fields and JSON texts in turn; of a set, its members as they
   * are. Null for a text view or an absent key.
   */
  readonly members: readonly string[] | null;
}

/**
 * Loads `keys` by one statement on `source`. Every key asked for comes back once, in any order; an unknown one with
 * a null value.
 */
export type Load<Source> = (source: Source, keys: readonly string[]) => Promise<readonly Loaded[]>;

/** A read model as the engine handles it: it moves JSON text and never looks inside. */
export interface AnyView<Source> {
  readonly name: string;
  /** Raise it when the stored form changes: entries of another format count as misses. */
  readonly format: number;
  readonly shape: Shape;
  readonly mode: Mode;
  /** Default life of an entry, before environment and jitter. */
  readonly ttlMs: number;
  /** Life of a "does not exist", where it is shorter. */
  readonly absentTtlMs?: number;
  /** Milliseconds that the store may keep this value at most, for values that end by themselves. */
  readonly lifeLeftMs?: (json: string) => number | undefined;
  /**
   * Entries that are read near the end of their life are loaded anew before they expire, so that readers do not wait for
   * SQL. For available views only.
   */
  readonly keepWarm?: true;
  /** The keys are digests of secrets: traces and listings show only their beginning. */
  readonly keyIsDigest?: true;
  readonly load: Load<Source>;
}

/** A view of documents, read whole. */
export interface TextView<Source, Value> extends AnyView<Source> {
  readonly shape: 'text';
  readonly decode: (json: string) => Value;
}

/** A view of rows in order, read by page. */
export interface ListView<Source, Member> extends AnyView<Source> {
  readonly shape: 'list';
  readonly decodeMember: (json: string) => Member;
}

/** A view of fields, read one, some or all. */
export interface HashView<Source, Field> extends AnyView<Source> {
  readonly shape: 'hash';
  readonly decodeField: (json: string) => Field;
}

/** A view of members, asked by membership. */
export interface SetView<Source> extends AnyView<Source> {
  readonly shape: 'set';
}

/** The hash field that holds a view's values: variant and format, so that two formats live side by side. */
export const fieldOf = (view: { readonly format: number }): string => `value@${view.format}`;

/** Names one entry. */
export interface EntryRef {
  readonly view: string;
  readonly key: string;
}

/** The root row whose lock orders the writers of `key`. */
export const rootOf = (view: { readonly name: string }, key: string): EntryRef => ({ view: view.name, key });

/** `key` as it may be shown: of a digest, its beginning. */
export const printedKey = (view: { readonly keyIsDigest?: true }, key: string): string =>
  view.keyIsDigest ? `${key.slice(0, 8)}…` : key;

/** Rule of strict views: what is near its end is not answered beside a refresh. @throws {Error} naming one that asks for it. */
export function requireAvailable<Source>(views: readonly AnyView<Source>[]): void {
  const wrong = views.find(({ keepWarm, mode }) => keepWarm && mode === 'strict');
  if (wrong) throw new Error(`View ${wrong.name} is strict and asks to be kept warm; only available views may.`);
}
