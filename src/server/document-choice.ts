// Which document a request runs: the one that it holds, or a trusted one that it names by its hash. Where only trusted
// documents may run, a text must be one of them.

import type { Params } from './params.js';
import { Refusal } from './refusal.js';
import { bare, sha256, type TrustedDocuments } from './trusted-documents.js';

export interface DocumentRights {
  readonly trusted: TrustedDocuments;
  /** Whether this caller may run documents of its own. */
  readonly free: boolean;
}

export interface Choice {
  readonly params: Params & { readonly query: string };
  /** Whether it was named by its hash, which stands for the text wherever answers are kept. */
  readonly byHash: boolean;
}

/** @throws {Refusal} when there is no such document, or the caller may not run it. */
export function chosenDocument({ hash, ...params }: Params, { trusted, free }: DocumentRights): Choice {
  const { query } = params;
  if (hash === undefined) {
    if (query === undefined) throw new Refusal('BAD_REQUEST', 'query must be a GraphQL document.');
    if (!free && !trusted.has(sha256(query))) throw notTrusted();
    return { params: { ...params, query }, byHash: false };
  }
  const known = trusted.get(bare(hash));
  if (query !== undefined && sha256(query) !== bare(hash)) {
    throw new Refusal('BAD_REQUEST', 'The hash is not the SHA-256 of the document; send either.');
  }
  if (known !== undefined) return { params: { ...params, query: known }, byHash: true };
  if (query === undefined) {
    throw new Refusal('NOT_FOUND', 'No trusted document has this hash; publish it in the manifest of this gateway.');
  }
  if (!free) throw notTrusted();
  return { params: { ...params, query }, byHash: false };
}

const notTrusted = () =>
  new Refusal(
    'FORBIDDEN',
    'Only trusted documents run here: publish this one in the manifest, or use a token with ad-hoc.',
  );
