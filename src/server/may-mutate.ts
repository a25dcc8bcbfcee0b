// Whether a request can be a mutation, told from the bytes of its body.

import type { TrustedDocuments } from './trusted-documents.js';

/**
 * Whether a body can ask for a mutation, told without reading it: a refusal must cost next to nothing, or a gateway that is
 * overloaded does little else. Documents named by their hash may hold anything.
 */
export function mayMutate(body: Buffer): boolean {
  return body.includes(mark) || namesDocument(body);
}

/** The same, for those who know which documents are `trusted`. */
export function mayMutateAmong(trusted: TrustedDocuments): (body: Buffer) => boolean {
  const queries = new Set([...trusted].flatMap(([hash, text]) => (text.includes(mark) ? [] : [hash])));
  return (body) => {
    if (body.includes(mark)) return true;
    if (!namesDocument(body)) return false;
    const hashes = body.toString('latin1').match(anyHash) ?? [];
    return hashes.length === 0 || !hashes.every((hash) => queries.has(hash.toLowerCase()));
  };
}

const mark = 'mutation';
const namesDocument = (body: Buffer) => body.includes('documentId') || body.includes('sha256Hash');
const anyHash = /[\da-f]{64}/gi;
