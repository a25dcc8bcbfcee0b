// Cuts markup into tags and text, in bounded memory: XML as camt and OFX 2 have it, and the SGML of OFX 1, where tags
// stay open and an ampersand may be just that. A document type is refused, so there are no entities to expand.

import { StatementFault } from './errors.js';

export type MarkupToken =
  | { readonly kind: 'open'; readonly line: number; readonly name: string; readonly attributes: string }
  | { readonly kind: 'close'; readonly line: number; readonly name: string }
  | { readonly kind: 'text'; readonly line: number; readonly text: string };

const MAX_TAG = 8 * 2 ** 10;
const MAX_TEXT = 64 * 2 ** 10;
const MAX_COMMENT = 2 ** 20;

/** Takes text piece by piece; where it is cut does not matter. Names lose their namespace prefix. */
export class MarkupReader {
  #rest = '';
  #line = 1;

  /** The tokens that end in `chunk`. @throws {StatementFault} where the text is no markup, or past a limit. */
  push(chunk: string): MarkupToken[] {
    const source = this.#rest + chunk;
    const tokens: MarkupToken[] = [];
    let at = 0;
    while (at < source.length) {
      const end = source.charCodeAt(at) === LESS ? this.#markup(source, at, tokens) : this.#text(source, at, tokens);
      if (end === undefined) break;
      at = end;
    }
    this.#rest = source.slice(at);
    return tokens;
  }

  /** What is left at the end of the text. @throws {StatementFault} when that is half a tag. */
  end(): MarkupToken[] {
    const rest = this.#rest;
    this.#rest = '';
    if (rest.startsWith('<')) throw new StatementFault(this.#line, 'The file breaks off inside a tag; get it whole.');
    return rest.trim() === '' ? [] : [{ kind: 'text', line: this.#line, text: unescaped(rest) }];
  }

  /** Where the text from `at` ends, or undefined while that is not known. */
  #text(source: string, at: number, tokens: MarkupToken[]): number | undefined {
    let end = source.indexOf('<', at);
    // A sign that begins no tag is text: "A < B".
    while (end !== -1 && end + 1 < source.length && !/[A-Za-z_/!?]/.test(source.charAt(end + 1))) {
      end = source.indexOf('<', end + 1);
    }
    if ((end === -1 ? source.length : end) - at > MAX_TEXT) throw this.#tooLong('a text', MAX_TEXT);
    if (end === -1 || end + 1 === source.length) return undefined;
    const text = source.slice(at, end);
    if (/\S/.test(text)) tokens.push({ kind: 'text', line: this.#line, text: unescaped(text) });
    this.#count(text);
    return end;
  }

  /** Where the tag, comment or section at `at` ends, or undefined while its end has not come. */
  #markup(source: string, at: number, tokens: MarkupToken[]): number | undefined {
    const next = source.charAt(at + 1);
    if (next === '!') return this.#declaration(source, at, tokens);
    if (next === '?') return this.#skip(source, at, '?>');
    if (next !== '' && !/[A-Za-z_/]/.test(next)) return this.#text(source, at, tokens);
    const end = tagEnd(source, at);
    if ((end ?? source.length) - at > MAX_TAG) throw this.#tooLong('a tag', MAX_TAG);
    if (end === undefined) return undefined;
    const tag = source.slice(at + 1, end);
    const line = this.#line;
    const [, slash = '', qualified = '', rest = ''] = /^(\/?)([A-Za-z_][\w.:-]*)([\s\S]*)$/.exec(tag) ?? [];
    if (qualified === '')
      throw new StatementFault(line, `"<${tag.slice(0, 40)}>" is no tag; the file is damaged here.`);
    const name = qualified.slice(qualified.lastIndexOf(':') + 1);
    if (slash !== '') tokens.push({ kind: 'close', line, name });
    else {
      tokens.push({ kind: 'open', line, name, attributes: rest });
      if (rest.endsWith('/')) tokens.push({ kind: 'close', line, name });
    }
    this.#count(tag);
    return end + 1;
  }

  #declaration(source: string, at: number, tokens: MarkupToken[]): number | undefined {
    if (
      source.length - at < CDATA.length &&
      (CDATA.startsWith(source.slice(at)) || '<!--'.startsWith(source.slice(at)))
    ) {
      return undefined;
    }
    if (source.startsWith('<!--', at)) return this.#skip(source, at, '-->');
    if (!source.startsWith(CDATA, at)) {
      throw new StatementFault(this.#line, 'The file declares a document type or entities, which no statement needs.');
    }
    const end = source.indexOf(']]>', at);
    if ((end === -1 ? source.length : end) - at > MAX_TEXT) throw this.#tooLong('a text', MAX_TEXT);
    if (end === -1) return undefined;
    const text = source.slice(at + CDATA.length, end);
    tokens.push({ kind: 'text', line: this.#line, text });
    this.#count(text);
    return end + 3;
  }

  #skip(source: string, at: number, mark: string): number | undefined {
    const end = source.indexOf(mark, at);
    if ((end === -1 ? source.length : end) - at > MAX_COMMENT) throw this.#tooLong('a comment', MAX_COMMENT);
    if (end === -1) return undefined;
    this.#count(source.slice(at, end));
    return end + mark.length;
  }

  #count(text: string): void {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#line += 1;
  }

  #tooLong(what: string, limit: number): StatementFault {
    return new StatementFault(
      this.#line,
      `The file holds ${what} of more than ${limit} characters; it is no statement.`,
    );
  }
}

const LESS = '<'.charCodeAt(0);
const CDATA = '<![CDATA[';

/** The index of the `>` that ends the tag at `at`, past those in quoted attributes. */
function tagEnd(source: string, at: number): number | undefined {
  let end = source.indexOf('>', at);
  if (end === -1) return undefined;
  const quotes = source.slice(at, end).match(/["']/g)?.length ?? 0;
  if (quotes % 2 === 0) return end;
  const whole = /^<[^<>"']*(?:"[^"<]*"|'[^'<]*'|[^<>"'])*>/.exec(source.slice(at, at + MAX_TAG));
  if (whole !== null) end = at + whole[0].length - 1;
  return end;
}

const named: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', ' '],
]);

/** The text with the references that markup defines; anything else after an ampersand stays as it is written. */
export function unescaped(text: string): string {
  if (!text.includes('&')) return text;
  return text.replaceAll(/&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([a-zA-Z]{2,4}));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return named.get(name) ?? whole;
    const point = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    const isCharacter = point >= 0x20 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    return isCharacter ? String.fromCodePoint(point) : ' ';
  });
}
