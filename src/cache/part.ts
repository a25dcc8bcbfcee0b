// Parts of a value that has members, in the forms of the three shapes: rows of a list, fields of a hash, membership of
// a set. Redis answers them by its own commands; here is the same for members held in this process.
import type { Shape } from './view.js';

/** What is asked of an entry with members; each read moves only that. */
export type Part =
  /** Rows of a list, both inclusive and 0-based; `last` -1 means the end. */
  | { readonly kind: 'rows'; readonly first: number; readonly last: number }
  /** Values of these fields of a hash, null where there is none. */
  | { readonly kind: 'fields'; readonly names: readonly string[] }
  /** All fields of a hash, as field, value, field, value … */
  | { readonly kind: 'all' }
  /** `1` for each of these that is a member of a set, else `0`. */
  | { readonly kind: 'contains'; readonly members: readonly string[] };

/** Two readers who ask for parts of the same name ask for the same. */
export function nameOfPart(part: Part | undefined): string {
  if (!part || part.kind === 'all') return part?.kind ?? '';
  if (part.kind === 'rows') return `rows ${part.first}-${part.last}`;
  return JSON.stringify(part.kind === 'fields' ? part.names : [part.members]);
}

/** The name of a reading: the same for all who ask for the same part of the same entry. */
export const nameOfReading = (view: { readonly name: string }, key: string, part: Part | undefined): string =>
  `${view.name}:${key}:${nameOfPart(part)}`;

/** A change of some members: what they are afterwards, and which are gone. A hash gives fields and values in turn. */
export interface MemberChange {
  readonly set: readonly string[];
  readonly remove: readonly string[];
}

/** Members of one entry, indexed for the parts that its shape is asked for. */
export class Members {
  readonly #rows: readonly string[];
  readonly #fields: Map<string, string>;
  readonly shape: Shape;

  /** `flat` as views load it: rows; members; or fields and values in turn. */
  constructor(shape: Shape, flat: readonly string[]) {
    this.shape = shape;
    this.#rows = shape === 'list' ? flat : [];
    this.#fields = shape === 'list' ? new Map() : fieldsOf(shape, flat);
  }

  /** Rows, fields or members. */
  get count(): number {
    return this.shape === 'list' ? this.#rows.length : this.#fields.size;
  }

  get bytes(): number {
    let bytes = 0;
    for (const row of this.#rows) bytes += 2 * row.length;
    for (const [field, value] of this.#fields) bytes += 100 + 2 * (field.length + value.length);
    return bytes;
  }

  part(part: Part | undefined): readonly (string | null)[] {
    switch (part?.kind) {
      case undefined:
        return [];
      case 'rows':
        return this.#rows.slice(part.first, part.last < 0 ? undefined : part.last + 1);
      case 'fields':
        return part.names.map((name) => this.#fields.get(name) ?? null);
      case 'all':
        return [...this.#fields].flat();
      case 'contains':
        return part.members.map((member) => (this.#fields.has(member) ? '1' : '0'));
    }
  }

  /** A list has no such change. */
  change({ set, remove }: MemberChange): void {
    for (const [field, value] of fieldsOf(this.shape, set)) this.#fields.set(field, value);
    for (const field of remove) this.#fields.delete(field);
  }
}

function fieldsOf(shape: Shape, flat: readonly string[]): Map<string, string> {
  if (shape === 'set') return new Map(flat.map((member) => [member, '']));
  const fields = new Map<string, string>();
  for (let at = 0; at + 1 < flat.length; at += 2) fields.set(flat[at] ?? '', flat[at + 1] ?? '');
  return fields;
}
