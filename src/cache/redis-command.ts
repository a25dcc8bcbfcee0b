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
    const words = [name, script, String(keys.length), ...keys];
    for (const arg of args) words.push(typeof arg === 'string' ? arg : String(arg));
    this.#written = commandOf(words);
  }

  override toWritable(): string | Buffer {
    return this.#written;
  }
}

/** A command as it is written, in RESP. To ask for the bytes of each word takes far longer than to ask once whether all of them are ASCII. */
export function commandOf(words: readonly string[]): string | Buffer {
  const ascii = joined(words, (word) => word.length);
  const isAscii = Buffer.byteLength(ascii) === ascii.length;
  const text = isAscii ? ascii : joined(words, Buffer.byteLength);
  if (text.length <= MAX_STRING) return text;
  return Buffer.from(text, isAscii ? 'latin1' : 'utf8');
}

function joined(words: readonly string[], bytesOf: (word: string) => number): string {
  const pieces = [`*${words.length}`];
  for (const word of words) {
    const bytes = bytesOf(word);
    pieces.push(HEADS[bytes] ?? headOf(bytes), word);
  }
  pieces.push('\r\n');
  return pieces.join('');
}

const headOf = (bytes: number): string => `\r\n$${bytes}\r\n`;

/** Of words of usual lengths. */
const HEADS = Array.from({ length: 256 }, (_, bytes) => headOf(bytes));
