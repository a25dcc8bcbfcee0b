// Checks that XML nests as it should and hands out its parts one at a time, so that a message of any length is read in
// the memory of its largest entry.

import { StatementFault } from './errors.js';
import type { MarkupToken } from './markup.js';

/** An element with all that is in it. */
export interface XmlElement {
  readonly name: string;
  readonly line: number;
  readonly attributes: string;
  /** Its own text, trimmed. */
  text: string;
  readonly children: XmlElement[];
}

/** Enough for camt, whose elements stand 18 deep at most. */
const MAX_DEPTH = 64;
/** Of one part. A batch entry of 20,000 transactions has fewer. */
const MAX_ELEMENTS = 1_000_000;

export interface XmlPart {
  /** Names from the root to the parent of the part. */
  readonly path: readonly string[];
  readonly element: XmlElement;
}

export type XmlEvent =
  | ({ readonly kind: 'part' } & XmlPart)
  | {
      readonly kind: 'open' | 'close';
      readonly line: number;
      readonly path: readonly string[];
      readonly attributes: string;
    };

/** Takes tokens; elements nested `partDepth` deep are handed out whole, those around them as they open and close. */
export class XmlReader {
  readonly #partDepth: number;
  readonly #path: string[] = [];
  readonly #open: XmlElement[] = [];
  #elements = 0;
  #begun = false;

  constructor(partDepth: number) {
    this.#partDepth = partDepth;
  }

  /** What the token completes, if anything. @throws {StatementFault} where elements do not nest. */
  take(token: MarkupToken): XmlEvent | undefined {
    const { line } = token;
    if (token.kind === 'text') {
      const inside = this.#open.at(-1);
      if (inside) inside.text += token.text;
      else if (this.#path.length === 0 && token.text.replace('\uFEFF', '').trim() !== '') {
        throw new StatementFault(line, 'Text stands outside the root element; the file is no XML.');
      }
      return undefined;
    }
    const { name } = token;
    if (token.kind === 'open') return this.#push(name, line, token.attributes);
    const element = this.#open.pop();
    if (element) {
      if (element.name !== name) throw misnested(line, name, element.name);
      element.text = element.text.trim();
      const parent = this.#open.at(-1);
      if (parent) parent.children.push(element);
      else return { kind: 'part', path: [...this.#path], element };
      return undefined;
    }
    const path = [...this.#path];
    const last = this.#path.pop();
    if (last !== name) throw misnested(line, name, last);
    return { kind: 'close', line, path, attributes: '' };
  }

  /** @throws {StatementFault} unless every element has ended. */
  end(line: number): void {
    const open = this.#open[0]?.name ?? this.#path.at(-1);
    if (open !== undefined) throw new StatementFault(line, `The file breaks off inside <${open}>; get it whole.`);
    if (!this.#begun) throw new StatementFault(line, 'The file has no root element; it is no XML.');
  }

  #push(name: string, line: number, attributes: string): XmlEvent | undefined {
    if (this.#path.length === 0 && this.#open.length === 0 && this.#begun) {
      throw new StatementFault(line, 'The file has more than one root element; it is no XML.');
    }
    this.#begun = true;
    if (this.#path.length + this.#open.length >= MAX_DEPTH) {
      throw new StatementFault(line, `The file nests elements deeper than ${MAX_DEPTH}; it is no camt message.`);
    }
    if (this.#open.length === 0 && this.#path.length < this.#partDepth) {
      this.#path.push(name);
      this.#elements = 0;
      return { kind: 'open', line, path: [...this.#path], attributes };
    }
    if (this.#open.length === 0) this.#elements = 0;
    if (++this.#elements > MAX_ELEMENTS) {
      throw new StatementFault(line, `An element holds more than ${MAX_ELEMENTS} others; split the file.`);
    }
    this.#open.push({ name, line, attributes, text: '', children: [] });
    return undefined;
  }
}

/** The first element at `path` below `element`; the text of an absent one is empty. */
export function childAt(element: XmlElement | undefined, ...path: string[]): XmlElement | undefined {
  let found = element;
  for (const name of path) found = found?.children.find((child) => child.name === name);
  return found;
}

export function textAt(element: XmlElement | undefined, ...path: string[]): string {
  return childAt(element, ...path)?.text ?? '';
}

/** All elements of that name directly below. */
export function childrenOf(element: XmlElement | undefined, name: string): XmlElement[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}

export function attributeOf(element: XmlElement | undefined, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)(?:[\\w.-]+:)?${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(
    element?.attributes ?? '',
  );
  return found?.[1] ?? found?.[2];
}

const misnested = (line: number, name: string, open: string | undefined) =>
  new StatementFault(
    line,
    `</${name.slice(0, 40)}> ends what ${open ? `<${open.slice(0, 40)}>` : 'nothing'} began; the file is damaged here.`,
  );
