// The operations that a team has published: their texts by SHA-256, read from a manifest. In production they are all that
// a caller may run, except by a scope of its own.

import { hash } from 'node:crypto';
import { type GraphQLSchema, validate } from 'graphql';
import { type DocumentOptions, parseDocument } from './document.js';

/** Texts of documents by the SHA-256 of their UTF-8, in lower-case hex. */
export type TrustedDocuments = ReadonlyMap<string, string>;

/** A manifest cannot be used; the message has a line for each of its faults. */
export class UnusableManifest extends Error {
  readonly code = 'UNUSABLE_MANIFEST';
  override readonly name = 'UnusableManifest';
}

const maxFaults = 20;

/**
 * The documents in a manifest: Apollo's (`{"format": "apollo-persisted-query-manifest", "operations": [{"id", "body"}]}`),
 * or an object of texts by hash.
 * @throws {UnusableManifest} when it has another form, or a text is not what its hash says.
 */
export function readManifest(text: string): TrustedDocuments {
  const pairs = pairsIn(parsed(text));
  const faults = pairs.flatMap(({ id, body }) => (sha256(body) === bare(id) ? [] : [`${shown(id)}: ${mismatch}`]));
  if (faults.length > 0) throw unusable(faults);
  return new Map(pairs.map(({ id, body }) => [bare(id), body]));
}

/** @throws {UnusableManifest} when a document does not fit `schema`, or is larger than may run. */
export function checkDocuments(documents: TrustedDocuments, schema: GraphQLSchema, options: DocumentOptions): void {
  const faults = [...documents].flatMap(([id, text]) => {
    try {
      const [fault] = validate(schema, parseDocument(text, options), undefined, { maxErrors: 1 });
      return fault ? [`${shown(id)}: ${fault.message}`] : [];
    } catch (error) {
      return [`${shown(id)}: ${error instanceof Error ? error.message : 'it cannot be read.'}`];
    }
  });
  if (faults.length > 0) throw unusable(faults);
}

/** SHA-256 of a text, in lower-case hex. */
export const sha256 = (text: string): string => hash('sha256', text);

/** A hash as clients write it: hex, with or without `sha256:` before it. */
export const bare = (id: string): string => id.toLowerCase().replace(/^sha256:/, '');

const mismatch = 'this is not the SHA-256 of its text; make the manifest anew.';

interface Pair {
  readonly id: string;
  readonly body: string;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnusableManifest('The manifest of trusted documents is not JSON.', { cause });
  }
}

function pairsIn(manifest: unknown): readonly Pair[] {
  if (isRecord(manifest)) {
    const { operations } = manifest;
    if (Array.isArray(operations) && operations.every(isPair)) return operations;
    const pairs = Object.entries(manifest).map(([id, body]) => ({ id, body }));
    if (pairs.every(isPair)) return pairs;
  }
  throw new UnusableManifest(
    'The manifest of trusted documents has an unknown form; write {"<sha256>": "query …"}, or a manifest of Apollo.',
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPair(value: unknown): value is Pair {
  return isRecord(value) && typeof value.id === 'string' && typeof value.body === 'string';
}

function unusable(faults: readonly string[]): UnusableManifest {
  const more = faults.length > maxFaults ? [`and ${faults.length - maxFaults} more`] : [];
  const lines = [...faults.slice(0, maxFaults), ...more].map((fault) => `\n- ${fault}`);
  return new UnusableManifest(`The manifest of trusted documents has faults:${lines.join('')}`);
}

const shown = (id: string) => JSON.stringify(id.slice(0, 80));
