// What can go wrong with the servers of a development start, one class per failure that a caller can act on.
// Every message is a sentence that says what to do next; no message holds a password.

/** This machine cannot run an embedded Postgres at all. */
export class EmbeddedUnavailable extends Error {
  readonly code = 'EMBEDDED_UNAVAILABLE';
  override readonly name = 'EmbeddedUnavailable';

  constructor(reason: string, options?: ErrorOptions) {
    super(`${reason} Set DATABASE_URL to a Postgres server of your own (14 or later).`, options);
  }
}

/** Another process already runs the servers of this home. */
export class HomeInUse extends Error {
  readonly code = 'HOME_IN_USE';
  override readonly name = 'HomeInUse';
  readonly home: string;
  readonly pid: number;

  constructor(home: string, pid: number) {
    super(
      `Process ${pid} already uses the embedded servers in ${home}. ` +
        'Wait until it is done, stop it, or set ESPELHO_HOME to another folder.',
    );
    this.home = home;
    this.pid = pid;
  }
}

/** The home folder, or something in it, is not as it must be. */
export class HomeUnusable extends Error {
  readonly code = 'HOME_UNUSABLE';
  override readonly name = 'HomeUnusable';
  readonly path: string;

  constructor(path: string, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.path = path;
  }
}

/** A server program ended, or did not get ready in time. */
export class ServerFailed extends Error {
  readonly code = 'SERVER_FAILED';
  override readonly name = 'ServerFailed';
  readonly program: string;
  readonly lastLines: readonly string[];

  constructor(program: string, what: string, lastLines: readonly string[], options?: ErrorOptions) {
    const said = lastLines.length > 0 ? ` Its last words:\n  ${lastLines.join('\n  ')}` : ' It said nothing.';
    super(`${program} ${what}. Start again; if it stays so, set DATABASE_URL (and REDIS_URL).${said}`, options);
    this.program = program;
    this.lastLines = lastLines;
  }
}

/** Whether `error` is the operating system's `code`, such as ENOENT. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
