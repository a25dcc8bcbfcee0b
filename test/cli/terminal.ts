// A terminal that keeps what a command writes to it.

import { Writable } from 'node:stream';
import { run } from '../../src/cli/program.js';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `espelho` with `args` in this process, on nothing but `env`. */
export async function espelho(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ran> {
  let out = '';
  let err = '';
  const sink = new Writable({
    write: (chunk, _, done) => {
      err += String(chunk);
      done();
    },
  });
  const code = await run(args, { env, out: (text) => (out += text), err: sink });
  return { code, out, err };
}
