// Ready answers as compressed bytes: what takes three kilobytes as strings and objects takes half of one then.

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Basis, KeptAnswer } from './kept-answer.js';
import type { Weight } from './weight.js';

/** Of longer bodies, the time that it takes would hold up the others. */
const MAX_BODY_BYTES = 32_768;
/** As many as documents that are in use together. */
const MAX_KINDS = 2_000;
/** Longer windows, which hardly find more in so few bytes, take longer to set up. */
const FAST = { level: 1, windowBits: 13, memLevel: 5 };
const LENGTH_BYTES = 4;
const LEAST_CHUNK = 64;
const LINE_END = 10;

/** What is noted of an answer before its body, as JSON on one line. */
type Note = readonly [kind: number, basis: unknown, id?: string];

/** What many answers to the same document have in common. */
interface Kind {
  readonly weight: Weight;
  readonly operation: string | undefined;
  readonly writes: boolean;
  readonly free: boolean;
  /** Names and values in turn, but for the length. */
  readonly head: readonly string[];
}

export class AnswerPacker {
  readonly #basisFrom: (packed: unknown) => Basis | undefined;
  #kinds: Kind[] = [];
  #places = new Map<string, number>();
  /** How many kinds are forgotten. */
  #forgotten = 0;

  constructor(basisFrom: (packed: unknown) => Basis | undefined) {
    this.#basisFrom = basisFrom;
  }

  /** Undefined where the answer is too long for it, or may be kept outside. */
  pack(answer: KeptAnswer): Uint8Array | undefined {
    const { basis, standing, body, outside } = answer;
    if (outside || body.length > MAX_BODY_BYTES) return undefined;
    const kind = this.#placeOf(answer);
    const note: Note = standing.id === undefined ? [kind, basis.packed()] : [kind, basis.packed(), standing.id];
    const line = Buffer.from(`${JSON.stringify(note)}\n`);
    const bytes = Buffer.concat([line, typeof body === 'string' ? Buffer.from(body, 'latin1') : body]);
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt32LE(bytes.length);
    return Buffer.concat([length, deflateRawSync(bytes, FAST)]);
  }

  /** What was packed here; undefined where its kind is forgotten, or its basis is none any more. */
  unpack(packed: Buffer, sendable: (body: Buffer) => Buffer | string): KeptAnswer | undefined {
    // By itself it would make a buffer of many times the size, or several.
    const chunkSize = Math.max(LEAST_CHUNK, packed.readUInt32LE() + 1);
    const bytes = inflateRawSync(packed.subarray(LENGTH_BYTES), { windowBits: FAST.windowBits, chunkSize });
    const end = bytes.indexOf(LINE_END);
    const [place, of, id]: Note = JSON.parse(bytes.toString('utf8', 0, end));
    const kind = this.#kinds[place - this.#forgotten];
    const basis = this.#basisFrom(of);
    if (!kind || !basis) return undefined;
    const { weight, operation, writes, free } = kind;
    const body = sendable(bytes.subarray(end + 1));
    const head = [...kind.head, 'content-length', String(body.length)];
    return { body, head, outside: undefined, basis, standing: { id, writes, free }, weight, operation };
  }

  #placeOf({ head, standing: { writes, free }, weight: { cost, rootFields }, operation }: KeptAnswer): number {
    const name = JSON.stringify([operation ?? null, writes, free, cost, [...rootFields], head.slice(0, -2)]);
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    if (this.#kinds.length >= MAX_KINDS) {
      this.#forgotten += this.#kinds.length;
      this.#kinds = [];
      this.#places = new Map();
    }
    const place = this.#forgotten + this.#kinds.length;
    this.#kinds.push(kindNamed(name));
    this.#places.set(name, place);
    return place;
  }
}

/** Made of its name, so that it keeps no text alive that names in it are parts of. */
function kindNamed(name: string): Kind {
  const [operation, writes, free, cost, rootFields, head] = JSON.parse(name);
  return { operation: operation ?? undefined, writes, free, head, weight: { cost, rootFields: new Map(rootFields) } };
}
