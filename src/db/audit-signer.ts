// The keyed digests that prove the audit log: of a change as it was written, of a change at its place in the log, and of
// the seals that chain them. The key never enters the database; whoever has only that can write no digest that holds.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a change says. */
export interface ChangeContent {
  readonly id: string;
  readonly actor: string;
  readonly action: string;
  readonly domain: string;
  readonly key: string;
  readonly reason?: string | null | undefined;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A change at its place in the log. */
export interface PlacedChange extends ChangeContent {
  readonly sequence: string;
  /** Unix microseconds. */
  readonly atUs: string;
}

/** What a seal vouches for. */
export interface SealContent {
  readonly number: string;
  /** Unix milliseconds. */
  readonly sealedAtMs: string;
  /** Every change behind this place … */
  readonly after: string;
  /** … up to this one is covered: no other was committed there. */
  readonly upTo: string;
  /** Up to here changes may have no digest of their own: they were there before the log was sealed. */
  readonly unsignedTo: string;
  /** Their places, in order. */
  readonly sequences: readonly string[];
  /** Their digests, one behind the other. */
  readonly tags: Uint8Array;
  /** Of the seal before; empty in the first. */
  readonly previous: Uint8Array;
}

export const CHANGE_TAG_BYTES = 16;

export type AuditSigner = ReturnType<typeof auditSigner>;

/** Signs with a key drawn from `secret`. `keyId` tells keys apart and nothing about them. */
export function auditSigner(secret: string) {
  const key = createHmac('sha256', secret).update('audit log').digest();
  const digest = (...parts: (string | Uint8Array)[]) => {
    const hmac = createHmac('sha256', key);
    // Each part with its length: no two lists of parts read the same.
    for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:`).update(part);
    return hmac.digest();
  };
  const short = (tag: Buffer) => tag.subarray(0, CHANGE_TAG_BYTES);
  return {
    keyId: digest('key').toString('hex').slice(0, 12),
    changeTag: (change: ChangeContent): Buffer => short(digest('change', contentOf(change))),
    placeTag: (change: PlacedChange): Buffer => short(digest('place', change.sequence, change.atUs, contentOf(change))),
    sealTag: (seal: SealContent): Buffer =>
      digest(
        'seal',
        ...[seal.number, seal.sealedAtMs, seal.after, seal.upTo, seal.unsignedTo, seal.sequences.join(',')],
        seal.tags,
        seal.previous,
      ),
  };
}

/** Whether two digests are the same. */
export const isSameTag = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other);

function contentOf({ id, actor, action, domain, key, reason, before, after }: ChangeContent): string {
  return JSON.stringify([id, actor, action, domain, key, reason ?? null, inOrder(before), inOrder(after)]);
}

/** As Postgres gives a JSON value back, whatever order its members were written in. */
function inOrder(value: unknown): unknown {
  const json = JSON.stringify(value ?? null) ?? 'null';
  return JSON.parse(json, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null) return part;
    if (Array.isArray(part)) return ['[', ...part];
    return ['{', ...Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1))];
  });
}
