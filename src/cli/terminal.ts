// What a command knows of the place that it runs in.

export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  /** Results; nothing else goes there, so that scripts can read them. */
  readonly out: (text: string) => void;
  /** Progress and failures. */
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean };
}
