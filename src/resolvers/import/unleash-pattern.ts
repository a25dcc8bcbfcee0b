// Regular expressions as rules of flagd, which knows none: those that only texts of a few lengths match, spelt out place
// by place. RE2 is the syntax, as Unleash has it.
import { allOf, anyOf, Inexpressible, isGiven, not, type Rule, textOf } from './unleash-rule.js';

/** Which characters may stand at a place: these, or all but these. */
interface Place {
  readonly but: boolean;
  readonly characters: readonly string[];
}
type Word = readonly Place[];

/** Ways to match, and their length: more would be no definition that anybody reads. */
const MAX_WORDS = 64;
const MAX_PLACES = 64;

/**
 * Whether `value`, as text, matches the pattern anywhere. A pattern that RE2 does not take never matches, and is told.
 * @throws {Inexpressible} where texts of any length may match.
 */
export function patternRule(pattern: string, anyCase: boolean, value: Rule, note: (sentence: string) => void): Rule {
  if (/\\[1-9]|\(\?(=|!|<=|<!)/.test(pattern) || !isBalanced(pattern)) {
    note(`${JSON.stringify(pattern.slice(0, 60))} is no regular expression of RE2; its constraint never holds.`);
    return false;
  }
  const [, before = '', flags = '', middle = ''] = /^(\^?)(?:\(\?([is]+)\))?(.*)$/s.exec(pattern) ?? [];
  const atEnd = /(^|[^\\])(\\\\)*\$$/.test(middle);
  const atStart = before !== '';
  const reader = new Reader(atEnd ? middle.slice(0, -1) : middle, pattern, flags.includes('s'));
  const words = reader.whole(atStart || atEnd);
  const spelt = anyCase || flags.includes('i') ? words.map((word) => word.map(inAnyCase)) : words;
  if (spelt.some((word) => word.length === 0 || word.length > MAX_PLACES)) throw unspeakable(pattern);
  return allOf([isGiven(value), anyOf(spelt.map((word) => matches(word, { atStart, atEnd }, textOf(value), pattern)))]);
}

function matches(
  word: Word,
  { atStart, atEnd }: { atStart: boolean; atEnd: boolean },
  text: Rule,
  pattern: string,
): Rule {
  const literal = word.every(({ but, characters }) => !but && characters.length === 1)
    ? word.map(({ characters }) => characters[0]).join('')
    : undefined;
  if (!atStart && !atEnd) {
    if (literal === undefined) throw unspeakable(pattern);
    return { in: [literal, text] };
  }
  if (literal !== undefined) {
    return atStart && atEnd ? { in: [text, [literal]] } : { [atStart ? 'starts_with' : 'ends_with']: [text, literal] };
  }
  const looked = atStart ? text : { substr: [text, -word.length] };
  const places = word.map(({ but, characters }, at) => {
    const here = { in: [{ substr: [looked, at, 1] }, but ? [...characters, ''] : [...characters]] };
    return but ? not(here) : here;
  });
  return allOf([...places, atStart && atEnd ? { in: [{ substr: [text, word.length] }, ['']] } : true]);
}

const inAnyCase = ({ but, characters }: Place): Place => ({
  but,
  characters: [...new Set(characters.flatMap((each) => [each.toLowerCase(), each.toUpperCase()]))],
});

const unspeakable = (pattern: string) =>
  new Inexpressible(`the regular expression ${JSON.stringify(pattern.slice(0, 60))}`);

function isBalanced(pattern: string): boolean {
  let open = 0;
  for (const [bracket] of pattern
    .replace(/\\./gs, '')
    .replace(/\[\^?\]?(\[:\w+:\]|[^\]])*\]/g, '')
    .matchAll(/[()]/g)) {
    open += bracket === '(' ? 1 : -1;
    if (open < 0) return false;
  }
  return open === 0;
}

const range = (from: string, to: string): string[] =>
  Array.from({ length: Math.max(0, to.charCodeAt(0) - from.charCodeAt(0) + 1) }, (_, at) =>
    String.fromCharCode(from.charCodeAt(0) + at),
  );
const DIGITS = range('0', '9');
const LETTERS = [...range('A', 'Z'), ...range('a', 'z')];
const CLASSES: Readonly<Record<string, readonly string[]>> = {
  '\\d': DIGITS,
  '\\w': [...DIGITS, ...LETTERS, '_'],
  '[:alpha:]': LETTERS,
  '[:digit:]': DIGITS,
  '[:alnum:]': [...DIGITS, ...LETTERS],
  '[:lower:]': range('a', 'z'),
  '[:upper:]': range('A', 'Z'),
};

/** Reads a pattern into the words that it matches: places in a row. What it does not know is not guessed at. */
class Reader {
  readonly #text: string;
  readonly #pattern: string;
  readonly #dotAll: boolean;
  #at = 0;

  constructor(text: string, pattern: string, dotAll: boolean) {
    this.#text = text;
    this.#pattern = pattern;
    this.#dotAll = dotAll;
  }

  /** With an anchor beside it, an alternative at the top would not be anchored on both sides. */
  whole(anchored: boolean): readonly Word[] {
    const words = this.#alternatives(!anchored);
    if (this.#at < this.#text.length) throw unspeakable(this.#pattern);
    return words;
  }

  #alternatives(mayBranch: boolean): readonly Word[] {
    const words: Word[] = [...this.#sequence()];
    while (mayBranch && this.#take('|')) words.push(...this.#sequence());
    return words;
  }

  #sequence(): readonly Word[] {
    let words: readonly Word[] = [[]];
    while (this.#at < this.#text.length && !'|)'.includes(this.#text[this.#at] ?? '')) {
      const repeated = this.#repeated(this.#atom());
      words = words.flatMap((word) => repeated.map((more) => [...word, ...more]));
      if (words.length > MAX_WORDS) throw unspeakable(this.#pattern);
    }
    return words;
  }

  #repeated(words: readonly Word[]): readonly Word[] {
    const [taken, least, comma, most] = /^\{(\d{1,2})(,)?(\d{1,2})?\}/.exec(this.#text.slice(this.#at)) ?? [];
    const isOptional = this.#take('?');
    if (!isOptional && taken === undefined) return words;
    if (taken !== undefined) this.#at += taken.length;
    const from = isOptional ? 0 : Number(least);
    const to = isOptional ? 1 : Number(most ?? (comma === undefined ? least : Number.NaN));
    // Many, or a second quantifier that says how eager the first one is.
    if (!(from <= to) || /^[?*+{]/.test(this.#text.slice(this.#at))) throw unspeakable(this.#pattern);
    return Array.from({ length: to - from + 1 }, (_, more) => this.#times(words, from + more)).flat();
  }

  #times(words: readonly Word[], count: number): readonly Word[] {
    let rows: readonly Word[] = [[]];
    for (let at = 0; at < count; at += 1) {
      rows = rows.flatMap((row) => words.map((word) => [...row, ...word]));
      if (rows.length > MAX_WORDS) throw unspeakable(this.#pattern);
    }
    return rows;
  }

  #atom(): readonly Word[] {
    if (this.#take('(')) {
      if (!this.#take('?:') && this.#text[this.#at] === '?') throw unspeakable(this.#pattern);
      const words = this.#alternatives(true);
      if (!this.#take(')')) throw unspeakable(this.#pattern);
      return words;
    }
    if (this.#take('.')) return [[{ but: true, characters: this.#dotAll ? [] : ['\n'] }]];
    if (this.#take('[')) return [[this.#class()]];
    const characters = this.#character();
    return [[{ but: false, characters }]];
  }

  #class(): Place {
    const but = this.#take('^');
    const characters: string[] = [];
    while (!this.#take(']')) {
      const [named] = /^\[:\w+:\]/.exec(this.#text.slice(this.#at)) ?? [];
      if (named !== undefined && this.#take(named)) {
        const known = CLASSES[named];
        if (!known) throw unspeakable(this.#pattern);
        characters.push(...known);
        continue;
      }
      const [from, ...others] = this.#character('-.+*?(){}|^$[');
      const isRange = others.length === 0 && /^-[^\]]/.test(this.#text.slice(this.#at)) && this.#take('-');
      const [to] = isRange ? this.#character('.+*?(){}|^$[') : [from];
      characters.push(...others, ...(from !== undefined && to !== undefined ? range(from, to) : []));
    }
    return { but, characters };
  }

  /** One character, or the members of a class such as `\d`. */
  #character(plain = ''): readonly string[] {
    const here = this.#text.slice(this.#at);
    const [escaped] = /^\\[^\n]/.exec(here) ?? [];
    if (escaped !== undefined) {
      this.#at += 2;
      const known = CLASSES[escaped] ?? (/[A-Za-z0-9]/.test(escaped) ? undefined : [escaped.slice(1)]);
      if (!known) throw unspeakable(this.#pattern);
      return known;
    }
    const [one] = /^[^\\\ud800-\udfff]/.exec(here) ?? [];
    if (one === undefined || ('^$.*+?()[]{}|'.includes(one) && !plain.includes(one))) throw unspeakable(this.#pattern);
    this.#at += 1;
    return [one];
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }
}
