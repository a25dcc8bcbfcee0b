// Text of unknown encoding, as banks send it. What a header says of the encoding is not believed: bytes that are UTF-8
// are read as such, and only the others as the single-byte encoding that is declared, or else as Windows-1252.

import { StatementFault } from './errors.js';
import { type FileOptions, faultOfFile, readBytes } from './lines.js';

export interface TextProbe {
  /** By a name that `TextDecoder` knows. */
  readonly encoding: string;
  /** The first 64 KiB, decoded. */
  readonly head: string;
  /** Why the file cannot be read as text, if it cannot. */
  readonly fault: string | undefined;
}

export interface TextLine {
  readonly line: number;
  readonly text: string;
}

/** Larger files are refused: what a bank sends for a day is a thousand times smaller. */
const MAX_BYTES = 512 * 2 ** 20;
const HEAD_BYTES = 64 * 2 ** 10;
const MAX_LINE = 64 * 2 ** 10;

/**
 * Reads the whole file once, in bounded memory, and says what text it holds; with `headOnly`, what its beginning looks
 * like.
 */
export async function probeText(file: string, headOnly = false): Promise<TextProbe> {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  const heads: Uint8Array[] = [];
  let headBytes = 0;
  let bytes = 0;
  let isUtf8 = true;
  let zeros = false;
  let fault: string | undefined;
  try {
    for await (const chunk of readBytes(file)) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) {
        fault = `The file unpacks to more than ${MAX_BYTES / 2 ** 20} MiB; split it.`;
        break;
      }
      if (headBytes < HEAD_BYTES) {
        heads.push(chunk.subarray(0, HEAD_BYTES - headBytes));
        headBytes += heads.at(-1)?.length ?? 0;
      }
      zeros ||= chunk.includes(0);
      isUtf8 &&= decodes(utf8, chunk);
      if (headOnly && headBytes >= HEAD_BYTES) break;
    }
    isUtf8 &&= (headOnly && headBytes >= HEAD_BYTES) || decodes(utf8, undefined);
  } catch (error) {
    fault = faultOfFile(error);
  }
  const head = Buffer.concat(heads);
  const wide = wideEncodingOf(head);
  if (wide === undefined && zeros)
    fault ??= 'The file holds zero bytes, so it is no text; check that it is the right one.';
  if (bytes === 0) fault ??= 'The file is empty; check that it was fetched whole.';
  const encoding = wide ?? (isUtf8 ? 'utf-8' : declaredEncodingOf(head.toString('latin1')));
  return { encoding, head: new TextDecoder(encoding).decode(head), fault };
}

/** The text of `file` piece by piece. @throws {StatementFault} where the file breaks off. */
export async function* readText(file: string, encoding: string, options: FileOptions = {}): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  try {
    for await (const chunk of readBytes(file, options)) yield decoder.decode(chunk, { stream: true });
  } catch (error) {
    throw new StatementFault(0, faultOfFile(error));
  }
  yield decoder.decode();
}

/** The lines of a text, ended by LF, CRLF or CR. @throws {StatementFault} at a line of more than 64 Ki characters. */
export async function* linesOfText(chunks: AsyncIterable<string> | Iterable<string>): AsyncGenerator<TextLine> {
  let line = 1;
  let rest = '';
  for await (const chunk of chunks) {
    const parts = (rest + chunk).split(/\r\n|\n|\r(?!$)/);
    rest = parts.pop() ?? '';
    if (rest.length > MAX_LINE) throw tooLong(line + parts.length);
    for (const text of parts) {
      if (text.length > MAX_LINE) throw tooLong(line);
      yield { line: line++, text };
    }
  }
  if (rest !== '') yield { line, text: rest.replace(/\r$/, '') };
}

/** One line of text without control characters, blanks around it, and no longer than statements keep. */
export function plainText(text: string, maxLength: number): string {
  const plain = text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  if (plain.length <= maxLength) return plain;
  // Never half of a surrogate pair: Postgres refuses one.
  return `${plain.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

const tooLong = (line: number) =>
  new StatementFault(line, `The line is longer than ${MAX_LINE} characters; check that the file is a statement.`);

function decodes(decoder: TextDecoder, chunk: Uint8Array | undefined): boolean {
  try {
    if (chunk === undefined) decoder.decode();
    else decoder.decode(chunk, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** UTF-16, told by its mark or by the zero byte beside a first ASCII character. */
function wideEncodingOf(head: Buffer): string | undefined {
  const [first, second, third] = head;
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0 && third !== 0 && head[3] === 0))
    return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0 && third === 0 && head[3] !== 0))
    return 'utf-16be';
  return undefined;
}

/** What an XML declaration says, if that is a single-byte encoding; Windows-1252, which Latin-1 is part of, else. */
function declaredEncodingOf(head: string): string {
  const [, declared = ''] = /^\s*<\?xml[^>]*\sencoding=["']([\w-]{1,40})["']/.exec(head) ?? [];
  return /^(iso-8859-\d+|windows-125\d|koi8-[ru]|ibm866)$/i.test(declared) ? decoderName(declared) : 'windows-1252';
}

function decoderName(label: string): string {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return 'windows-1252';
  }
}
