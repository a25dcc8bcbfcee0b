// Cuts SWIFT text into messages and these into their fields, whether it stands in blocks ({4: … -}), between lines with a
// hyphen, under lines of a bank's own, or with nothing but a :20: to begin the next one.

import { StatementFault } from './errors.js';
import { linesOfText } from './text-file.js';

export interface SwiftField {
  readonly line: number;
  /** Such as `60F`. */
  readonly tag: string;
  /** Its lines without their ends. */
  readonly lines: string[];
}

export interface SwiftMessage {
  readonly line: number;
  readonly fields: SwiftField[];
}

/** Of a field: six times the 65 characters of :86: would do. */
const MAX_LINES = 1_000;
/** Of a message: entries have two or three. */
const MAX_FIELDS = 1_000_000;

/** The messages of SWIFT text, one after another. @throws {StatementFault} where the text is none. */
export async function* swiftMessages(chunks: AsyncIterable<string> | Iterable<string>): AsyncGenerator<SwiftMessage> {
  let message: SwiftMessage | undefined;
  let inside = true;
  for await (const { line, text: whole } of linesOfText(chunks)) {
    const text = whole.replace(/^\uFEFF/, '').replace(/^\s*(?:\{[1235]:.*\})?\{4:/, '');
    const [, tag, rest = ''] = /^:(\d{2}[A-Z]?|NS|940):(.*)$/s.exec(text) ?? [];
    if (tag === '940') continue;
    if (tag !== undefined) {
      if (tag === '20' && message && message.fields.length > 0) {
        yield message;
        message = undefined;
      }
      message ??= { line, fields: [] };
      message.fields.push({ line, tag, lines: [rest] });
      if (message.fields.length > MAX_FIELDS) {
        throw new StatementFault(line, `The message has more than ${MAX_FIELDS} fields; split it.`);
      }
      inside = true;
    } else if (/^-(?:\}.*|X{3})?\s*$/.test(text)) {
      if (message) yield message;
      message = undefined;
      inside = false;
    } else if (inside && message) {
      const field = message.fields.at(-1);
      if (field === undefined) continue;
      if (field.lines.length >= MAX_LINES) {
        throw new StatementFault(line, `The field :${field.tag}: has more than ${MAX_LINES} lines; check the file.`);
      }
      field.lines.push(text);
    }
  }
  if (message) yield message;
}
