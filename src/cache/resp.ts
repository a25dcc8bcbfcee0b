// Replies of a Redis server, and what it tells unasked, out of the pieces in which they come.
// Source: RESP3 (https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md); what RESP2 has is a part of it.

/** An error that the server replied. */
export class Refused {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Maps are lists of their keys and values in turn; numbers that are no integers, and truth values, are told as text. */
export type Reply = string | number | null | Refused | readonly Reply[];

export interface Hearing {
  readonly reply: (reply: Reply) => void;
  /** What the server tells unasked. */
  readonly push: (words: readonly Reply[]) => void;
}

/** What the server wrote is not RESP. */
export class BrokenStream extends Error {
  override readonly name = 'BrokenStream';
  readonly code = 'BROKEN_STREAM';
  constructor(type: string) {
    super(`Redis wrote what no reply begins with: ${JSON.stringify(type)}.`);
  }
}

const NONE = Buffer.alloc(0);
const PUSH = '>'.charCodeAt(0);
const CARRIAGE_RETURN = '\r'.charCodeAt(0);
const LINE_END = '\r\n';
/** Not all of it has come. */
const PART = Symbol('part');
type Part = typeof PART;

export class RespReader {
  readonly #hearing: Hearing;
  #bytes: Buffer = NONE;
  #at = 0;

  constructor(hearing: Hearing) {
    this.#hearing = hearing;
  }

  /** Hears, in order, what is whole by this piece. @throws {BrokenStream} */
  read(piece: Buffer): void {
    this.#bytes = this.#bytes === NONE ? piece : Buffer.concat([this.#bytes, piece]);
    this.#at = 0;
    let read = 0;
    while (read < this.#bytes.length) {
      const isPush = this.#bytes[read] === PUSH;
      const value = this.#value();
      if (value === PART) break;
      read = this.#at;
      if (isPush && Array.isArray(value)) this.#hearing.push(value);
      else this.#hearing.reply(value);
    }
    this.#bytes = read < this.#bytes.length ? this.#bytes.subarray(read) : NONE;
  }

  #value(): Reply | Part {
    const line = this.#line();
    if (line === PART) return PART;
    const rest = line.slice(1);
    switch (line[0]) {
      case '+':
      case ',':
      case '(':
      case '#':
        return rest;
      case '-':
        return new Refused(rest);
      case ':':
        return Number(rest);
      case '_':
        return null;
      case '$':
        return this.#text(Number(rest));
      case '=': {
        const text = this.#text(Number(rest));
        return typeof text === 'string' ? text.slice(4) : text; // which format it is in stands first
      }
      case '!': {
        const text = this.#text(Number(rest));
        return typeof text === 'string' ? new Refused(text) : text;
      }
      case '*':
      case '~':
      case '>':
        return this.#list(Number(rest));
      case '%':
        return this.#list(2 * Number(rest));
      default:
        throw new BrokenStream(line.slice(0, 1));
    }
  }

  /** Lines are so short that to look for their end takes less time than to have it looked for. */
  #line(): string | Part {
    const bytes = this.#bytes;
    let end = this.#at;
    while (end < bytes.length && bytes[end] !== CARRIAGE_RETURN) end++;
    if (end + LINE_END.length > bytes.length) return PART;
    const line = bytes.toString('latin1', this.#at, end);
    this.#at = end + LINE_END.length;
    return line;
  }

  #text(length: number): string | null | Part {
    if (length < 0) return null;
    const end = this.#at + length;
    if (this.#bytes.length < end + LINE_END.length) return PART;
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + LINE_END.length;
    return text;
  }

  #list(length: number): readonly Reply[] | null | Part {
    if (length < 0) return null;
    const list: Reply[] = [];
    while (list.length < length) {
      const value = this.#value();
      if (value === PART) return PART;
      list.push(value);
    }
    return list;
  }
}
