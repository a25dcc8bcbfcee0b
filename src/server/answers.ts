// Ready answers, given again while everything that they were made from stands. An answer is found by the request itself,
// whole: its method, its Authorization header, the forms that it takes, and its body or query, which hold document,
// variables and operation. So nothing that the caller or the query depends on can be left out of the key; what the answer
// was made from is asked about each time. In doubt the request goes the ordinary way.

import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { MediaType } from './accept.js';
import type { Standing } from './door.js';
import { Doorkeeper } from './doorkeeper.js';
import type { KeptOutside } from './http-cache.js';
import { Remaking } from './remaking.js';
import type { Weight } from './weight.js';

/** What an answer rests on. */
export interface Basis {
  /** Whether the answer would be the same at this moment, as far as it depends on time. */
  readonly holds: () => boolean;
  /** Tells whether all else stands at some moment after the call. Never throws; in doubt it is false. */
  readonly stands: (tell: (stands: boolean) => void) => void;
  /** Does what goes with each answer and is no part of it. */
  readonly again: () => void;
  /** About how much memory it takes. */
  readonly bytes: number;
}

export interface AnswersOptions<Caller> {
  /** Bound of all answers together. */
  readonly maxBytes: number;
  /** What the answer to a caller's finished query rests on; undefined where it may not be given again. */
  readonly basisOf: (caller: Caller) => Basis | undefined;
}

export interface KeptAnswer {
  /** As it is sent; where it is short, as a string of its bytes, which Node sends in one piece with the head. */
  readonly body: Buffer | string;
  /** Of this answer alone: names and values in turn. */
  readonly head: readonly string[];
  /** Undefined where nobody outside may keep the answer. */
  readonly outside: KeptOutside | undefined;
  readonly basis: Basis;
  /** Of the caller, whose token is among what the answer rests on. */
  readonly standing: Standing;
  readonly weight: Weight;
  readonly operation: string | undefined;
}

/** An answer as it was given. */
export interface GivenAnswer extends Omit<KeptAnswer, 'basis' | 'body' | 'head'> {
  readonly body: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Where an answer is kept. */
export interface Place {
  /** A digest, a byte to each character. */
  readonly name: string;
  /** Of the request. */
  readonly bytes: number;
}

/** By what a request asks: the bytes are its body, or its query. */
export interface Asking {
  readonly method: string;
  readonly accepted: readonly MediaType[];
  readonly authorization: string | undefined;
  readonly bytes: Buffer;
}

interface Kept extends KeptAnswer {
  readonly requestBytes: number;
}

/** Answers kept of all requests: what is large takes the place of several. */
const LARGEST_SHARE = 1 / 8;
const OVERHEAD_BYTES = 1_500;
/** To copy so much into one piece with the head costs less than to send a second one. */
const MAX_STRING_BYTES = 1_000;
const SCRATCH_BYTES = 8_192;

export class Answers<Caller> {
  readonly #basisOf: AnswersOptions<Caller>['basisOf'];
  readonly #kept: LRUCache<string, Kept>;
  /** Up to which nothing that comes takes the place of others. */
  readonly #roomyBytes: number;
  readonly #doorkeeper = new Doorkeeper();
  readonly #remaking = new Remaking();
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

  constructor({ maxBytes, basisOf }: AnswersOptions<Caller>) {
    this.#basisOf = basisOf;
    this.#roomyBytes = maxBytes * (1 - LARGEST_SHARE);
    this.#kept = new LRUCache({
      maxSize: maxBytes,
      maxEntrySize: Math.ceil(maxBytes * LARGEST_SHARE),
      sizeCalculation: sizeOf,
    });
  }

  /** Where the answer to a request is kept. */
  placeOf({ method, accepted, authorization, bytes }: Asking): Place {
    const head = `${method} ${accepted.length === 1 ? accepted[0] : accepted.join()}\n${authorization === undefined ? '' : `by ${authorization}`}\n`;
    return { name: hash('sha256', this.#joined(head, bytes), 'binary'), bytes: bytes.length };
  }

  /** The answer kept there, which may be outdated. */
  at({ name }: Place): KeptAnswer | undefined {
    return this.#kept.get(name);
  }

  /** Tells whether the answer may be given: whether it stands at a moment after this call. Never throws. */
  ask({ basis }: KeptAnswer, tell: (stands: boolean) => void): void {
    if (basis.holds()) basis.stands((stands) => tell(stands && basis.holds()));
    else tell(false);
  }

  /**
   * For who has found no answer there that stands: the one that another request was making anew, if that stands at a
   * moment after this call. Otherwise it is to be made; what is given back then is to be called once that is done.
   */
  async anew(place: Place): Promise<KeptAnswer | (() => void)> {
    const outdated = this.#kept.peek(place.name);
    if (!outdated) return () => {};
    const turn = this.#remaking.turn(place.name);
    if (turn.kind === 'theirs') {
      await turn.ended;
      return (await this.#standing(place)) ?? (() => {});
    }
    return () => {
      if (this.#kept.peek(place.name) === outdated) this.#kept.delete(place.name);
      turn.done();
    };
  }

  /**
   * Keeps the answer that `caller` was given, where it may be given again. Once there is hardly room left, only what
   * was asked for before is worth the place of another, and the time that it takes to keep it.
   */
  keep(place: Place, caller: Caller, { body, headers, ...answer }: GivenAnswer): void {
    const met = this.#doorkeeper.meet(place.name);
    if (!met && this.bytes > this.#roomyBytes && !this.#kept.has(place.name)) return;
    const basis = this.#basisOf(caller);
    if (!basis) return;
    const sent = sendable(body);
    const head = headers.filter(([name]) => name !== 'content-length').flat();
    head.push('content-length', String(sent.length));
    this.#kept.set(place.name, { ...answer, body: sent, head, basis, requestBytes: place.bytes });
  }

  async #standing(place: Place): Promise<KeptAnswer | undefined> {
    const kept = this.at(place);
    const stands = kept && (await new Promise<boolean>((tell) => this.ask(kept, tell)));
    return stands ? kept : undefined;
  }

  /** Headers come as Latin-1. */
  #joined(head: string, bytes: Buffer): Buffer {
    const scratch = this.#scratch;
    const length = head.length + bytes.length;
    if (length > scratch.length) return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
    scratch.write(head, 'latin1');
    bytes.copy(scratch, head.length);
    return scratch.subarray(0, length);
  }

  /** Bytes of all answers that are kept. */
  get bytes(): number {
    return this.#kept.calculatedSize;
  }
}

const sizeOf = ({ body, basis, requestBytes }: Kept): number =>
  // Names of entries can be parts of the document's text, which they keep alive then, at two bytes to a character.
  OVERHEAD_BYTES + body.length + basis.bytes + 2 * requestBytes;

/** In memory of its own: an answer that is kept must not keep alive a pool that many share. */
function sendable(text: string): Buffer | string {
  const length = Buffer.byteLength(text);
  if (length <= MAX_STRING_BYTES) return Buffer.from(text).toString('latin1');
  const bytes = Buffer.allocUnsafeSlow(length);
  bytes.write(text);
  return bytes;
}
