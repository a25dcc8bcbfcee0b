// The forms in which GraphQL hands arguments over.

/** An argument that may be left out, or null, which means the same. */
export type Maybe<Value> = Value | null | undefined;

export interface PageArgs {
  readonly first?: Maybe<number>;
  readonly after?: Maybe<string>;
}
