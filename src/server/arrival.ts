// How a request arrives at whoever finds out its caller.

/** What identifies a caller. */
export interface Arrival {
  /** The Authorization header as it came. */
  readonly authorization: string | undefined;
  /** False where the request came by GET, and so may stand in logs and histories. */
  readonly posted: boolean;
}
