// How a program of this repository is started from another one: compiled beside a compiled one, by tsx beside a source.
import { fileURLToPath } from 'node:url';

export interface Program {
  readonly file: string;
  /** For Node, before the file. */
  readonly flags: readonly string[];
}

/** `path` without its ending, from the file at `from`. */
export function programAt(path: string, from: string): Program {
  const isSource = from.endsWith('.ts');
  return {
    file: fileURLToPath(new URL(`${path}${isSource ? '.ts' : '.js'}`, from)),
    flags: isSource ? ['--import', 'tsx'] : [],
  };
}
