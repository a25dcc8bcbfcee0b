// Ready answers, given again while everything that they were made from stands. An answer is found by the request itself,
// whole: its method, its Authorization header, the forms that it takes, and its body or query, which hold document,
// variables and operation. So nothing that the caller or the query depends on can be left out of the key; what the answer
// was made from is asked about each time. In doubt the request goes the ordinary way.
//
// Those that were asked for again soon are at hand as they are sent. All others are packed: many more of them fit, and what is
// asked for again after a long time is unpacked, which takes far less time than to make it.

import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { MediaType } from './accept.js';
import { ByteLog } from './byte-log.js';
import { Doorkeeper } from './doorkeeper.js';
import type { Basis, KeptAnswer } from './kept-answer.js';
import { AnswerPacker } from './packed-answer.js';
import { Remaking } from './remaking.js';

export interface AnswersOptions<Caller> {
  /** Bound of all answers together. */
  readonly maxBytes: number;
  /** What the answer to a caller's finished query rests on, told later if need be; undefined where it may not be given again. */
  readonly basisOf: (caller: Caller) => Basis | undefined | Promise<Basis | undefined>;
  /** Makes a basis of what it was packed as; undefined where it is known not to stand. */
  readonly basisFrom: (packed: unknown) => Basis | undefined;
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

/** Of all memory, what answers at hand may take; the others are packed. */
const AT_HAND_SHARE = 1 / 4;
/** Of the same memory, what one answer may: what is large takes the place of several. */
const LARGEST_SHARE = 1 / 8;
const OVERHEAD_BYTES = 1_500;
/** To copy so much into one piece with the head costs less than to send a second one; Node does so on its stack, up to 16 KB. */
const MAX_STRING_BYTES = 12_000;
const SCRATCH_BYTES = 8_192;
/** At least so many requests are told from new ones; a sixteenth of them are those of late. */
const KNOWN_REQUESTS = 16_384;

export class Answers<Caller> {
  readonly #options: AnswersOptions<Caller>;
  readonly #atHand: LRUCache<string, Kept>;
  readonly #packed: ByteLog;
  readonly #packer: AnswerPacker;
  readonly #askedBefore = new Doorkeeper(KNOWN_REQUESTS);
  readonly #askedLately = new Doorkeeper(KNOWN_REQUESTS / 16);
  readonly #remaking = new Remaking();
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

  constructor(options: AnswersOptions<Caller>) {
    const { maxBytes } = options;
    this.#options = options;
    this.#atHand = new LRUCache({
      maxSize: Math.ceil(maxBytes * AT_HAND_SHARE),
      maxEntrySize: Math.ceil(maxBytes * LARGEST_SHARE),
      sizeCalculation: sizeOf,
      dispose: (answer, name, reason) => {
        if (reason === 'evict' && !this.#packed.has(name)) this.#pack(name, answer);
      },
    });
    this.#packer = new AnswerPacker(options.basisFrom);
    this.#packed = new ByteLog(maxBytes * (1 - AT_HAND_SHARE));
  }

  /** Where the answer to a request is kept. */
  placeOf({ method, accepted, authorization, bytes }: Asking): Place {
    const head = `${method} ${accepted.length === 1 ? accepted[0] : accepted.join()}\n${authorization === undefined ? '' : `by ${authorization}`}\n`;
    return { name: hash('sha256', this.#joined(head, bytes), 'binary'), bytes: bytes.length };
  }

  /** The answer kept there, which may be outdated. */
  at(place: Place): KeptAnswer | undefined {
    return this.#atHand.get(place.name) ?? this.#unpacked(place);
  }

  /** Tells whether the answer may be given: whether it stands at a moment after this call. Never throws. */
  ask({ basis }: KeptAnswer, tell: (stands: boolean) => void): void {
    if (basis.holds()) basis.stands((stands) => tell(stands && basis.holds()));
    else tell(false);
  }

  /**
   * For who has found that the answer there is `outdated`: the one that another request was making anew, if that stands at
   * a moment after this call. Otherwise it is to be made; what is given back then is to be called once that is done.
   */
  async anew(place: Place, outdated: KeptAnswer): Promise<KeptAnswer | (() => void)> {
    const turn = this.#remaking.turn(place.name);
    if (turn.kind === 'theirs') {
      await turn.ended;
      return (await this.#standing(place)) ?? (() => {});
    }
    this.#packed.delete(place.name);
    return () => {
      if (this.#atHand.peek(place.name) === outdated) this.#atHand.delete(place.name);
      turn.done();
    };
  }

  /**
   * Keeps the answer that `caller` was given, where it may be given again. Once there is no room left, only what was
   * asked for before is worth the place of another, and the time that it takes to keep it.
   */
  keep(place: Place, caller: Caller, answer: GivenAnswer): void {
    const { name } = place;
    const isLately = this.#askedLately.meet(name) || this.#atHand.has(name);
    const isKnown = this.#askedBefore.meet(name) || isLately;
    if (!isKnown && this.#packed.isFull) return;
    const keep = (basis: Basis | undefined) => {
      if (basis) this.#keep(place, answer, { basis, isLately, isKnown });
    };
    const basis = this.#options.basisOf(caller);
    if (basis instanceof Promise) void basis.then(keep);
    else keep(basis);
  }

  #keep(
    { name, bytes: requestBytes }: Place,
    { body, headers, ...answer }: GivenAnswer,
    { basis, isLately, isKnown }: { readonly basis: Basis; readonly isLately: boolean; readonly isKnown: boolean },
  ): void {
    this.#packed.delete(name);
    const sent = sendable(bytesOf(body));
    const head = headers.filter(([header]) => header !== 'content-length').flat();
    head.push('content-length', String(sent.length));
    const kept = { ...answer, body: sent, head, basis, requestBytes };
    if (isLately) this.#atHand.set(name, kept);
    if (this.#atHand.has(name) || this.#pack(name, kept)) return;
    if (isKnown || this.#hasRoomFor(kept)) this.#atHand.set(name, kept);
  }

  #hasRoomFor(answer: Kept): boolean {
    return this.#atHand.calculatedSize + sizeOf(answer) <= this.#atHand.maxSize;
  }

  /** Whether it can be packed. */
  #pack(name: string, answer: Kept): boolean {
    const bytes = this.#packer.pack(answer);
    if (bytes) this.#packed.put(name, bytes);
    return bytes !== undefined;
  }

  /** What is asked for again soon is at hand from then on. */
  #unpacked({ name, bytes: requestBytes }: Place): KeptAnswer | undefined {
    const packed = this.#packed.get(name);
    const answer = packed && this.#packer.unpack(packed, sendable);
    if (!answer) return undefined;
    const kept = { ...answer, requestBytes };
    if (this.#askedLately.meet(name)) this.#atHand.set(name, kept);
    return kept;
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
    return this.#atHand.calculatedSize + this.#packed.byteLength;
  }
}

const sizeOf = ({ body, basis, requestBytes }: Kept): number =>
  // Names of entries can be parts of the document's text, which they keep alive then, at two bytes to a character.
  OVERHEAD_BYTES + body.length + basis.bytes + 2 * requestBytes;

/** In memory of their own: an answer that is kept must not keep alive a pool that many share. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

const sendable = (bytes: Buffer): Buffer | string =>
  bytes.length <= MAX_STRING_BYTES ? bytes.toString('latin1') : bytes;
