// Reads a menu from taxonomy text: one node a line, `id : A > B > C`, in the order of the tree. Every node is either
// placed under a parent that stands before it, or refused with its line and a reason.

import { Invalid } from '../errors.js';
import { requireKey, requireLabel } from '../menu-item.js';
import { type FileOptions, type Line, type RefusedLine, readLines } from './lines.js';

export interface TaxonomyItem {
  /** What follows the last slash of the line's id: `ap-1` of `gid://shopify/TaxonomyCategory/ap-1`. */
  readonly key: string;
  readonly label: string;
  readonly parentKey: string | null;
  /** From 1, the depth of a root. */
  readonly depth: number;
  /** From 0, among the children of the same parent, in the order of the file. */
  readonly position: number;
}

export type TaxonomyRecord =
  | { readonly kind: 'record'; readonly line: number; readonly value: TaxonomyItem }
  | RefusedLine;

/** The deepest level that a menu may have. */
export const maxMenuDepth = 12;

/**
 * The items of a taxonomy file in its order: parents before their children, siblings by position.
 * Blank lines and lines that begin with `#` are passed over.
 */
export function readTaxonomy(file: string, options: FileOptions = {}): AsyncGenerator<TaxonomyRecord> {
  return taxonomyItems(readLines(file, options));
}

/**
 * The items of taxonomy lines, as `readTaxonomy` gives them.
 * A parent is found by its path, not by its id. Siblings may bear one name (the Portuguese taxonomy has two such
 * pairs); children then belong to the nearest one above them, which is what the order of a tree says.
 */
export async function* taxonomyItems(lines: AsyncIterable<Line> | Iterable<Line>): AsyncGenerator<TaxonomyRecord> {
  const root: Node = { key: null, children: 0 };
  const nodes = new Map<string, Node>();
  const lineOfKey = new Map<string, number>();
  for await (const entry of lines) {
    if (entry.kind === 'refused') {
      yield entry;
      continue;
    }
    const { line, text } = entry;
    if (text.trim() === '' || text.startsWith('#')) continue;
    const node = parsed(text);
    if (typeof node === 'string') {
      yield { kind: 'refused', line, reason: node };
      continue;
    }
    const { key, label, path, parentPath, depth } = node;
    const firstLine = lineOfKey.get(key);
    if (firstLine !== undefined) {
      yield { kind: 'refused', line, reason: `The key "${key}" stands on line ${firstLine} already; keys are unique.` };
      continue;
    }
    const parent = parentPath === null ? root : nodes.get(parentPath);
    if (parent === undefined) {
      yield {
        kind: 'refused',
        line,
        reason: `No line above has the path of its parent, "${parentPath}"; add it there.`,
      };
      continue;
    }
    lineOfKey.set(key, line);
    nodes.set(path, { key, children: 0 });
    yield { kind: 'record', line, value: { key, label, parentKey: parent.key, depth, position: parent.children++ } };
  }
}

interface Node {
  readonly key: string | null;
  children: number;
}

interface ParsedNode {
  readonly key: string;
  readonly label: string;
  readonly path: string;
  readonly parentPath: string | null;
  readonly depth: number;
}

const nameSeparator = ' > ';

/** The node that a line describes, or the reason why it describes none. */
function parsed(text: string): ParsedNode | string {
  const colon = text.indexOf(' : ');
  if (colon === -1) return 'The line has no " : " between an id and a path; write it as `id : A > B > C`.';
  const id = text.slice(0, colon).trim();
  const key = id.slice(id.lastIndexOf('/') + 1);
  if (key === '') return 'Nothing stands before the " : " to make a key of; begin the line with an id.';
  const names = text
    .slice(colon + 3)
    .split(nameSeparator)
    .map((name) => name.trim());
  const label = names.at(-1);
  if (label === undefined || names.includes('')) return 'A name in the path is empty; give every level a name.';
  if (names.length > maxMenuDepth) return `The path has ${names.length} levels; a menu has at most ${maxMenuDepth}.`;
  try {
    requireKey(key, []);
    requireLabel(label, []);
  } catch (error) {
    if (error instanceof Invalid) return error.message;
    throw error;
  }
  const parentPath = names.length === 1 ? null : names.slice(0, -1).join(nameSeparator);
  return { key, label, path: names.join(nameSeparator), parentPath, depth: names.length };
}
