// Cursors of keyset pages: the last key seen, signed together with what the page was asked for, so that a cursor fits
// no other question and cannot be made up.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { BadRequest, Invalid } from './errors.js';
import type { Maybe } from './input.js';

/** Contents of a cursor: the last sort key and its tie-breaker. */
export type CursorKey = readonly (string | number)[];

const SIGNATURE_BYTES = 16;

/** A cursor that only the same `question` accepts; it does not expire. */
export function makeCursor(cursorKey: string, question: readonly unknown[], key: CursorKey): string {
  const body = Buffer.from(JSON.stringify(key));
  return Buffer.concat([signatureOf(cursorKey, question, body), body]).toString('base64url');
}

/** @throws {BadRequest} when the cursor was not made for this question. */
export function openCursor(cursorKey: string, question: readonly unknown[], cursor: string): CursorKey {
  const bytes = Buffer.from(cursor, 'base64url');
  const body = bytes.subarray(SIGNATURE_BYTES);
  const signature = bytes.subarray(0, SIGNATURE_BYTES);
  const expected = signatureOf(cursorKey, question, body);
  if (signature.length !== SIGNATURE_BYTES || !timingSafeEqual(signature, expected)) {
    throw new BadRequest(
      'This cursor does not belong to this list and these arguments: take endCursor of its last page.',
    );
  }
  return JSON.parse(body.toString('utf8')) as CursorKey;
}

/** @throws {Invalid} unless 1 ≤ first ≤ 100. */
export function pageSize(first: Maybe<number>): number {
  const size = first ?? 50;
  if (size < 1 || size > 100) throw new Invalid(`first must be from 1 to 100, not ${size}.`, { path: ['first'] });
  return size;
}

export interface Edge<Node> {
  readonly node: Node;
  readonly cursor: string;
}

/** An edge whose cursor is made, as by {@link makeCursor}, when it is asked for. */
export class KeysetEdge<Node> implements Edge<Node> {
  readonly node: Node;
  readonly #cursorKey: string;
  readonly #question: readonly unknown[];
  readonly #key: CursorKey;
  #cursor: string | undefined;

  constructor(node: Node, cursorKey: string, question: readonly unknown[], key: CursorKey) {
    this.node = node;
    this.#cursorKey = cursorKey;
    this.#question = question;
    this.#key = key;
  }

  get cursor(): string {
    this.#cursor ??= makeCursor(this.#cursorKey, this.#question, this.#key);
    return this.#cursor;
  }
}

export interface Connection<Node> {
  readonly edges: readonly Edge<Node>[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** A page of edges, with whether there are more behind it. */
export function connectionOf<Node>(
  edges: Connection<Node>['edges'],
  hasNextPage: boolean,
  after: Maybe<string>,
): Connection<Node> {
  return {
    edges,
    pageInfo: {
      hasNextPage,
      hasPreviousPage: after !== null && after !== undefined,
      get startCursor() {
        return edges[0]?.cursor ?? null;
      },
      get endCursor() {
        return edges.at(-1)?.cursor ?? null;
      },
    },
  };
}

function signatureOf(cursorKey: string, question: readonly unknown[], body: Uint8Array): Buffer {
  const hmac = createHmac('sha256', cursorKey)
    .update(`${JSON.stringify(question)}\n`)
    .update(body);
  return hmac.digest().subarray(0, SIGNATURE_BYTES);
}
