// Bytes by name in a bounded piece of memory of their own, which the collector neither moves nor looks through. What is put
// is appended; once the end is reached, the oldest is written over. An index of fixed size finds it, and may lose a name:
// whoever looks for what is lost finds nothing.
// Source: Lim, Han, Andersen and Kaminsky, "MICA: A Holistic Approach to Fast In-Memory Key-Value Storage", NSDI '14, §4.3:
// circular log and lossy, set-associative index.

/** A name is a digest: a byte to each of its characters, drawn evenly. */
const NAME_BYTES = 32;
const HEAD_BYTES = NAME_BYTES + 4;
/** Names that share a place of the index are told apart within so many. */
const WAYS = 4;
const BYTES_PER_SLOT = 256;
const FULL_SHARE = 7 / 8;

export class ByteLog {
  readonly #bytes: Buffer;
  /** One more than the position of each record, counted from the first byte ever put; 0 where there is none. */
  readonly #slots: Float64Array;
  #end = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.floor(capacity));
    const buckets = Math.max(1, Math.floor(capacity / BYTES_PER_SLOT / WAYS));
    this.#slots = new Float64Array(WAYS * 2 ** Math.ceil(Math.log2(buckets)));
  }

  /** A view of what was put under this name, to be used before anything else is put. */
  get(name: string): Buffer | undefined {
    const slot = this.#slotOf(name);
    if (slot === undefined) return undefined;
    const at = this.#offsetAt(slot);
    const length = this.#bytes.readUInt32LE(at + NAME_BYTES);
    return this.#bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
  }

  has(name: string): boolean {
    return this.#slotOf(name) !== undefined;
  }

  /** Puts `bytes` in place of what had this name. What is longer than the log is left out. */
  put(name: string, bytes: Uint8Array): void {
    this.delete(name);
    const capacity = this.#bytes.length;
    const length = HEAD_BYTES + bytes.length;
    if (length > capacity) return;
    let at = this.#end % capacity;
    if (at + length > capacity) {
      this.#end += capacity - at; // a record lies in one piece
      at = 0;
    }
    this.#bytes.write(name, at, 'latin1');
    this.#bytes.writeUInt32LE(bytes.length, at + NAME_BYTES);
    this.#bytes.set(bytes, at + HEAD_BYTES);
    const position = this.#end;
    this.#end += length;
    this.#slots[this.#leastIn(this.#bucketOf(name))] = position + 1;
  }

  delete(name: string): void {
    const slot = this.#slotOf(name);
    if (slot !== undefined) this.#slots[slot] = 0;
  }

  /** Whether what is put takes the place of something older, or nearly so. */
  get isFull(): boolean {
    return this.#end >= this.#bytes.length * FULL_SHARE;
  }

  /** Of memory that has been written. */
  get byteLength(): number {
    return Math.min(this.#end, this.#bytes.length);
  }

  #slotOf(name: string): number | undefined {
    const bucket = this.#bucketOf(name);
    for (let slot = bucket; slot < bucket + WAYS; slot++) {
      if (!this.#isThere(slot)) continue;
      const at = this.#offsetAt(slot);
      if (this.#bytes.toString('latin1', at, at + NAME_BYTES) === name) return slot;
    }
    return undefined;
  }

  /** The first slot of those that the name may be in. */
  #bucketOf(name: string): number {
    const hash =
      name.charCodeAt(3) | (name.charCodeAt(4) << 8) | (name.charCodeAt(5) << 16) | (name.charCodeAt(6) << 24);
    return ((hash >>> 0) * WAYS) % this.#slots.length;
  }

  /** The slot whose record is the oldest, or gone. */
  #leastIn(bucket: number): number {
    let least = bucket;
    for (let slot = bucket + 1; slot < bucket + WAYS; slot++) {
      if ((this.#slots[slot] ?? 0) < (this.#slots[least] ?? 0)) least = slot;
    }
    return least;
  }

  #isThere(slot: number): boolean {
    const position = (this.#slots[slot] ?? 0) - 1;
    return position >= 0 && position >= this.#end - this.#bytes.length;
  }

  #offsetAt(slot: number): number {
    return ((this.#slots[slot] ?? 0) - 1) % this.#bytes.length;
  }
}
