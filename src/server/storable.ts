// Text that Postgres can hold: Unicode without U+0000 and without halves of surrogate pairs. The edge looks for these in
// what clients send, so that no statement fails on them later.

/** A character that cannot be stored. */
export interface Unstorable {
  /** Its offset in its text. */
  readonly at: number;
  /** Where it is and what to do, for the client. */
  readonly sentence: string;
}

/** The first character of `text` that cannot be stored; `place` names the text for the client. */
export function unstorableIn(text: string, place: string): Unstorable | undefined {
  const at = text.search(unstorable);
  if (at < 0) return undefined;
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0');
  const what = code === '0000' ? 'U+0000' : `U+${code}, half of a surrogate pair`;
  return { at, sentence: `${place} holds ${what}, which cannot be stored; leave it out.` };
}

/** The same in all strings and names of `value`, which is JSON of bounded depth under `place`, such as `variables`. */
export function unstorableWithin(value: unknown, place: string): Unstorable | undefined {
  if (typeof value === 'string') return unstorableIn(value, place);
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const inside = plainName.test(name) && !Array.isArray(value) ? `${place}.${name}` : `${place}[${printed(name)}]`;
    const found = unstorableIn(name, inside) ?? unstorableWithin(member, inside);
    if (found) return found;
  }
  return undefined;
}

/** Whether a text in `json` may hold such a character: in JSON that came as UTF-8 it can only be an escape. */
export function mayEscapeUnstorable(json: string): boolean {
  return escaped.test(json);
}

const unstorable = /\p{Surrogate}|\0/u;
const escaped = /\\u(?:0000|d[89a-f])/i;
const plainName = /^[\p{L}_][\p{L}\p{N}_]*$/u;
const maxShown = 60;

function printed(name: string): string {
  return /^\d+$/.test(name) ? name : JSON.stringify(name.slice(0, maxShown));
}
