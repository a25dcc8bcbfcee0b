// Reads the members of a list out of a file: plain text with a member on each line, or JSON in the forms that such lists
// are published in. What is no member is refused by its place, and never repeated.

import { memberFault } from '../security-list.js';
import { type Progress, type RefusedLine, readLines } from './lines.js';
import { readJsonFile } from './security-json.js';

export type ListRecord = { readonly kind: 'member'; readonly member: string } | RefusedLine;

export type ListFormat = 'text' | 'json';
export const listFormatNames: readonly string[] = ['text', 'json'] satisfies ListFormat[];

export interface ListFileOptions {
  /** `json` for what is named so or begins like it, unless it is given. */
  readonly format?: string | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * The members in `file`, in its order; gzip is read too.
 * Text: blanks around a member fall away; blank lines and lines that begin with `#` are passed over. JSON: an array of
 * members, or an object that has one (`entries`, `urls` …), or an object whose keys are the members, such as a list of
 * hosts; an object in an array stands for its `name`.
 */
export async function* readListFile(file: string, { format, onProgress }: ListFileOptions): AsyncGenerator<ListRecord> {
  if ((format ?? (await formatOf(file))) === 'json') yield* jsonMembers(file, onProgress);
  else yield* textMembers(file, onProgress);
}

async function formatOf(file: string): Promise<ListFormat> {
  if (/\.json(\.gz)?$/i.test(file)) return 'json';
  for await (const line of readLines(file)) {
    const text = line.kind === 'line' ? line.text.trim() : '';
    if (text !== '') return /^(\{|\[$|\["|\[\{)/.test(text) ? 'json' : 'text';
  }
  return 'text';
}

async function* textMembers(file: string, onProgress: ListFileOptions['onProgress']): AsyncGenerator<ListRecord> {
  for await (const line of readLines(file, onProgress && { onProgress })) {
    if (line.kind === 'refused') {
      yield line;
      continue;
    }
    const member = line.text.trim();
    if (member !== '' && !member.startsWith('#')) yield recordOf(member, line.line, '');
  }
}

async function* jsonMembers(file: string, onProgress: ListFileOptions['onProgress']): AsyncGenerator<ListRecord> {
  const read = await readJsonFile(file, onProgress);
  if (read.kind === 'refused') {
    yield { ...read, breaksOff: true };
    return;
  }
  const items = itemsIn(read.json);
  if (typeof items === 'string') {
    yield { kind: 'refused', line: 0, reason: items, breaksOff: true };
    return;
  }
  for (const [at, item] of items.entries()) {
    const member = isObject(item) ? item.name : item;
    const place = `Element ${at + 1}: `;
    if (typeof member === 'string') yield recordOf(member, 0, place);
    else yield { kind: 'refused', line: 0, reason: `${place}It is neither text nor an object with a name.` };
  }
}

/** The elements of the list in a document, or why it has none. */
function itemsIn(json: unknown): readonly unknown[] | string {
  if (Array.isArray(json)) return json;
  if (!isObject(json)) return 'The file is neither an array nor an object, so it has no members.';
  if (Array.isArray(json.entries)) return json.entries;
  const lists = Object.entries(json).filter(([, value]) => Array.isArray(value));
  const [first, second] = lists;
  if (!first) return Object.keys(json);
  if (!second && Array.isArray(first[1])) return first[1];
  const names = lists.slice(0, 5).map(([name]) => JSON.stringify(name.slice(0, 40)));
  return `The file has several lists (${names.join(', ')}); leave one of them in it.`;
}

function recordOf(member: string, line: number, place: string): ListRecord {
  const fault = memberFault(member);
  return fault === undefined ? { kind: 'member', member } : { kind: 'refused', line, reason: `${place}${fault}` };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
