// A script's call as it is written to Redis: put into its form once, in one piece. The client's own commands go over
// their arguments again and again, which for a script over many entries costs more than all else that sending it takes.
import { Command } from 'ioredis';

/** Node writes shorter strings as they are; of longer ones it makes three times as many bytes first. */
const MAX_STRING = 5_000;

export class ScriptCommand extends Command {
  readonly #written: string | Buffer;

  /** `script` is its digest for EVALSHA, its source for EVAL. */
  constructor(name: 'EVALSHA' | 'EVAL', script: string, keys: readonly string[], args: readonly (string | number)[]) {
    super(name, [], { replyEncoding: 'utf8' });
    const pieces = [`*${3 + keys.length + args.length}`];
    put(pieces, name);
    put(pieces, script);
    put(pieces, String(keys.length));
    for (const key of keys) put(pieces, key);
    for (const arg of args) put(pieces, typeof arg === 'string' ? arg : String(arg));
    pieces.push('\r\n');
    const text = pieces.join('');
    this.#written = text.length > MAX_STRING ? Buffer.from(text) : text;
  }

  override toWritable(): string | Buffer {
    return this.#written;
  }
}

function put(pieces: string[], word: string): void {
  const bytes = Buffer.byteLength(word);
  pieces.push(HEADS[bytes] ?? headOf(bytes), word);
}

const headOf = (bytes: number): string => `\r\n$${bytes}\r\n`;

/** Of words of usual lengths. */
const HEADS = Array.from({ length: 256 }, (_, bytes) => headOf(bytes));
