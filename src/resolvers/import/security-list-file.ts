// Reads the members of a list out of a file: plain text with a member on each line, or JSON in the forms that such lists
// are published in. What is no member is refused by its place, and never repeated.

import type { ListKind } from '../../db/index.js';
import { keptMember } from '../security-member.js';
import { type Progress, type RefusedLine, readLines } from './lines.js';
import { readJsonFile } from './security-json.js';

export type ListRecord = { readonly kind: 'member'; readonly member: string } | RefusedLine;

export type ListFormat = 'text' | 'json';
export const listFormatNames: readonly string[] = ['text', 'json'] satisfies ListFormat[];

export interface ListFileOptions {
  /** `json` for what is named so or begins like it, unless it is given. */
  readonly format?: string | undefined;
  /** What a member must be, and is kept as; TEXT unless it is given. */
  readonly kind?: ListKind | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * The members in `file`, in its order; gzip is read too.
 * Text: blanks around a member fall away; blank lines and lines that begin with `#` are passed over. JSON: an array of
 * members, or an object that has one (`entries`, `urls` …), or an object whose keys are the members, such as a list of
 * hosts; an object in an array stands for its `name`, or for the network that providers of address ranges call
 * `ip_prefix`, `ipv6_prefix`, `ipv4Prefix` or `ipv6Prefix`.
 */
export async function* readListFile(file: string, options: ListFileOptions): AsyncGenerator<ListRecord> {
  if ((options.format ?? (await formatOf(file))) === 'json') yield* jsonMembers(file, options);
  else yield* textMembers(file, options);
}

async function formatOf(file: string): Promise<ListFormat> {
  if (/\.json(\.gz)?$/i.test(file)) return 'json';
  for await (const line of readLines(file)) {
    const text = line.kind === 'line' ? line.text.trim() : '';
    if (text !== '') return /^(\{|\[$|\["|\[\{)/.test(text) ? 'json' : 'text';
  }
  return 'text';
}

async function* textMembers(file: string, { kind, onProgress }: ListFileOptions): AsyncGenerator<ListRecord> {
  for await (const line of readLines(file, onProgress && { onProgress })) {
    if (line.kind === 'refused') {
      yield line;
      continue;
    }
    const member = line.text.trim();
    if (member !== '' && !member.startsWith('#')) yield recordOf(member, kind, line.line, '');
  }
}

async function* jsonMembers(file: string, { kind, onProgress }: ListFileOptions): AsyncGenerator<ListRecord> {
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
    const member = isObject(item) ? nameIn(item) : item;
    const place = `Element ${at + 1}: `;
    if (typeof member === 'string') yield recordOf(member, kind, 0, place);
    else yield { kind: 'refused', line: 0, reason: `${place}It is neither text nor an object with a name.` };
  }
}

const NAMING = ['name', 'ip_prefix', 'ipv6_prefix', 'ipv4Prefix', 'ipv6Prefix'];

const nameIn = (item: Readonly<Record<string, unknown>>): unknown =>
  NAMING.map((field) => item[field]).find((value) => typeof value === 'string');

/** The elements of the list in a document, or why it has none. */
function itemsIn(json: unknown): readonly unknown[] | string {
  if (Array.isArray(json)) return json;
  if (!isObject(json)) return 'The file is neither an array nor an object, so it has no members.';
  if (Array.isArray(json.entries)) return json.entries;
  if (Array.isArray(json.prefixes) && Array.isArray(json.ipv6_prefixes))
    return [...json.prefixes, ...json.ipv6_prefixes];
  const lists = Object.entries(json).filter(([, value]) => Array.isArray(value));
  const [first, second] = lists;
  if (!first) return Object.keys(json);
  if (!second && Array.isArray(first[1])) return first[1];
  const names = lists.slice(0, 5).map(([name]) => JSON.stringify(name.slice(0, 40)));
  return `The file has several lists (${names.join(', ')}); leave one of them in it.`;
}

function recordOf(text: string, kind: ListKind | undefined, line: number, place: string): ListRecord {
  const { member, fault } = keptMember(text, kind ?? 'TEXT');
  return member === undefined ? { kind: 'refused', line, reason: `${place}${fault}` } : { kind: 'member', member };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
