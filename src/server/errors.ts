// What whoever starts the server can act on.

/** The server cannot listen where it was told to; the sentence names the setting to change. */
export class CannotListen extends Error {
  readonly code = 'CANNOT_LISTEN';
  override readonly name = 'CannotListen';
}
