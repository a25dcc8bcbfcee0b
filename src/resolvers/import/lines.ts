// Turns a file into numbered lines of text in bounded memory, whether or not it is gzip. Whatever cannot be a line
// (too long, not UTF-8, beyond a break in the file) is refused by its number, and never guessed at.

import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** A line that was not taken. Line 0 stands for the file itself. */
export interface RefusedLine {
  readonly kind: 'refused';
  readonly line: number;
  readonly reason: string;
  /** Nothing after this line could be read, however much there is. */
  readonly breaksOff?: true;
}
export type Line = { readonly kind: 'line'; readonly line: number; readonly text: string } | RefusedLine;

export interface LineOptions {
  /** Longer lines are refused. The default, 1 MiB, is a thousand times what the formats need. */
  readonly maxLineBytes?: number;
}

export interface FileOptions extends LineOptions {
  /** Called as the file is read; bytes are those on disk, compressed or not. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly file: string;
  readonly readBytes: number;
  readonly totalBytes: number;
}

/**
 * The lines of `file` from the first to the last, a final one without newline included.
 * Ends lines at LF or CRLF, drops a byte order mark, and gunzips by content, not by name. Never throws for what is
 * wrong with the file: one that cannot be opened is one refused line 0, one that breaks off is refused where it does.
 */
export async function* readLines(file: string, options: FileOptions = {}): AsyncGenerator<Line> {
  let totalBytes: number;
  try {
    totalBytes = (await stat(file)).size;
  } catch (error) {
    yield refusedFile(error, 0);
    return;
  }
  yield* linesOf(bytesOf(file, totalBytes, options.onProgress), options);
}

/**
 * The bytes of `file`, gunzipped by content.
 * @throws what `faultOfFile` puts into words, when the file cannot be opened or its compressed data breaks off.
 */
export async function* readBytes(file: string, options: FileOptions = {}): AsyncGenerator<Uint8Array> {
  yield* gunzipped(bytesOf(file, (await stat(file)).size, options.onProgress));
}

/** A fault of a file as a sentence; what is a fault of ours is thrown again. */
export function faultOfFile(error: unknown): string {
  return refusedFile(error, 0).reason;
}

/** The lines of a stream of bytes, as `readLines` gives them; where the stream is cut into chunks does not matter. */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: LineOptions = {},
): AsyncGenerator<Line> {
  const splitter = new LineSplitter(options.maxLineBytes ?? 2 ** 20);
  try {
    for await (const chunk of gunzipped(chunks)) yield* splitter.push(chunk);
  } catch (error) {
    yield refusedFile(error, splitter.lineNumber);
    return;
  }
  yield* splitter.end();
}

/** Cuts chunks at newlines. Holds at most the unfinished line, and of one too long no more than the limit. */
class LineSplitter {
  /** The number of the line being gathered. */
  lineNumber = 1;
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #overflown = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  *push(chunk: Uint8Array): Generator<Line> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      yield this.#finish(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  *end(): Generator<Line> {
    if (this.#partBytes > 0 || this.#overflown) yield this.#finish(new Uint8Array());
  }

  #keep(part: Uint8Array): void {
    // A mark and a carriage return may still fall away, so the exact length is judged at the end of the line.
    this.#overflown ||= this.#partBytes + part.length > this.#maxBytes + byteOrderMark.length + 1;
    if (this.#overflown) this.#parts = [];
    else this.#parts.push(part);
    this.#partBytes += part.length;
  }

  #finish(last: Uint8Array): Line {
    this.#keep(last);
    const bytes = this.#overflown ? undefined : stripped(Buffer.concat(this.#parts), this.lineNumber === 1);
    this.#parts = [];
    this.#partBytes = 0;
    this.#overflown = false;
    return decoded(bytes, this.lineNumber++, this.#maxBytes);
  }
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = [0xef, 0xbb, 0xbf];

function stripped(bytes: Buffer, first: boolean): Buffer {
  const start = first && byteOrderMark.every((byte, at) => bytes[at] === byte) ? byteOrderMark.length : 0;
  return bytes.subarray(start, bytes.at(-1) === carriageReturn ? -1 : undefined);
}

function decoded(bytes: Buffer | undefined, line: number, maxBytes: number): Line {
  if (bytes === undefined || bytes.length > maxBytes) {
    return {
      kind: 'refused',
      line,
      reason: `The line is longer than ${maxBytes} bytes; split it, or check the format.`,
    };
  }
  if (!isUtf8(bytes)) {
    return {
      kind: 'refused',
      line,
      reason: 'The line is not valid UTF-8; save the file as UTF-8 and import it again.',
    };
  }
  if (bytes.includes(0)) {
    return { kind: 'refused', line, reason: 'The line holds a zero byte, so it is not text; check the file.' };
  }
  return { kind: 'line', line, text: bytes.toString('utf8') };
}

async function* bytesOf(
  file: string,
  totalBytes: number,
  onProgress: FileOptions['onProgress'],
): AsyncGenerator<Uint8Array> {
  let readBytes = 0;
  for await (const chunk of createReadStream(file)) {
    yield chunk;
    readBytes += chunk.length;
    onProgress?.({ file, readBytes, totalBytes });
  }
}

/** The bytes as they are, or what they unpack to when they begin with the mark of gzip (RFC 1952, 1f 8b). */
async function* gunzipped(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const source = whole(chunks);
  const head = await source.next();
  if (head.done) return;
  const rejoined = follow(head.value, source);
  if (head.value[0] !== 0x1f || head.value[1] !== 0x8b) yield* rejoined;
  // Errors reach the loop below through the stream itself; the callback is what keeps them from being thrown twice.
  else yield* pipeline(rejoined, createGunzip({ chunkSize: 2 ** 16 }), () => {});
}

/** The same bytes, the first chunk long enough to tell gzip by. */
async function* whole(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined = new Uint8Array();
  for await (const chunk of chunks) {
    if (head === undefined) yield chunk;
    else if (head.length + chunk.length < 2) head = Buffer.concat([head, chunk]);
    else {
      yield head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      head = undefined;
    }
  }
  if (head !== undefined && head.length > 0) yield head;
}

async function* follow(head: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* rest;
}

/** A fault of the file as a refused line; what is a fault of ours travels on. */
function refusedFile(error: unknown, line: number): RefusedLine {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error;
  if (error.code.startsWith('Z_')) {
    const reason = `The compressed data breaks off or is damaged here (${error.code}); get the file whole and import it again.`;
    return { kind: 'refused', line, reason, breaksOff: true };
  }
  const reason = `The file cannot be read (${error.code}); check its path and permissions.`;
  return { kind: 'refused', line: line === 1 ? 0 : line, reason, breaksOff: true };
}
