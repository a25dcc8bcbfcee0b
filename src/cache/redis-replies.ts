// Decodes what the scripts return. A reply of another form is a defect of ours or of the server, and says so.
import { CacheUnavailable } from './errors.js';
import type { Answer, Unavailable } from './redis-exchange.js';
import {
  type EntryFacts,
  type Guarded,
  type Hit,
  type Meta,
  type ReadReply,
  type StandingFence,
  xidOf,
} from './store.js';

/** A script returned something that it never should. */
export class UnexpectedReply extends Error {
  override readonly name = 'UnexpectedReply';
  readonly code = 'UNEXPECTED_REPLY';
  constructor(reply: unknown) {
    super(`A cache script returned an unexpected reply of type ${Array.isArray(reply) ? 'array' : typeof reply}.`);
  }
}

/** An answer, decoded. A reply of another form counts as none. */
export function decoded<Value>(
  answer: Answer,
  decode: (reply: unknown) => Value,
): { readonly kind: 'decoded'; readonly value: Value } | Unavailable {
  if (answer.kind === 'unavailable') return answer;
  try {
    return { kind: 'decoded', value: decode(answer.reply) };
  } catch (cause) {
    const sentence = 'Redis gave a reply that no cache script gives.';
    return { kind: 'unavailable', error: new CacheUnavailable(sentence, 'reply', { cause }) };
  }
}

/** `{'mismatch'}` or `{'done', reply…}`, each reply decoded by `decode`. */
export function guardedReplies<Reply>(reply: unknown, decode: (reply: unknown) => Reply): Guarded<Reply> {
  const words = array(reply);
  const kind = words[0];
  if (kind === 'mismatch') return { kind };
  if (kind !== 'done') throw new UnexpectedReply(reply);
  const replies: Reply[] = [];
  for (let at = 1; at < words.length; at++) replies.push(decode(words[at]));
  return { kind, replies };
}

/** A decoder of one of `words`. */
export function word<Word extends string>(...words: readonly Word[]): (reply: unknown) => Word {
  return (reply) => {
    const found = words.find((each) => each === reply);
    if (found === undefined) throw new UnexpectedReply(reply);
    return found;
  };
}

export function readReplyOf(reply: unknown): ReadReply {
  const [kind, first, second] = array(reply);
  if (kind === 'same') return { kind, ageMs: Number(first), ttlMs: Number(second) };
  if (kind === 'busy' || kind === 'fenced') return { kind };
  if (kind === 'lease') return { kind, token: token(first), xids: fenceNames(second).map(xidOf) };
  return hitOf(reply);
}

/** A token that was granted, or the stamp of what was stored; undefined where nothing was. */
export const given = (reply: unknown): string | undefined => (reply === null ? undefined : token(reply));

/** Stamps of values that stand, undefined where none does: of so many entries in each partition. */
export function stampsOf(reply: unknown, counts: readonly number[]): Guarded<string | undefined>[] {
  if (typeof reply !== 'string') throw new UnexpectedReply(reply);
  const words = reply.split(' ');
  let at = 0;
  const guarded = counts.map((count): Guarded<string | undefined> => {
    if (words[at] === 'mismatch') {
      at += 1;
      return { kind: 'mismatch' };
    }
    const stamps = words.slice(at, at + count);
    at += count;
    return { kind: 'done', replies: stamps.map((word) => (word === '-' ? undefined : word)) };
  });
  if (words.length !== at) throw new UnexpectedReply(reply);
  return guarded;
}

/** A token that was granted. */
export function token(reply: unknown): string {
  if (typeof reply !== 'string') throw new UnexpectedReply(reply);
  return reply;
}

export function hitOf(reply: unknown): Hit {
  const [kind, version, changedAt, age, ttl, value, count, part, stamp] = array(reply);
  if (kind !== 'hit') throw new UnexpectedReply(reply);
  return {
    kind,
    version: decimal(version),
    changedAtMs: Number(changedAt),
    ageMs: Number(age),
    ttlMs: Number(ttl),
    value: text(value) ?? null,
    count: Number(count),
    members: array(part).map((word) => text(word) ?? null),
    stamp: String(stamp),
  };
}

export function metaOf(reply: unknown): Meta {
  const [incarnation, life, epoch, generation, cursor] = array(reply).map(text);
  const isWhole = life !== undefined && generation !== undefined && cursor !== undefined;
  return {
    incarnation: incarnation === '' ? undefined : incarnation,
    stored:
      isWhole && epoch !== undefined && /^\d+$/.test(epoch)
        ? { incarnation: life, epoch: decimal(epoch), generation, cursor }
        : undefined,
  };
}

export function fencesOf(reply: unknown, parse: (name: string) => { view: string; key: string }): StandingFence {
  const [name, fences] = array(reply);
  return { ...parse(String(name)), fences: fenceNames(fences) };
}

export function factsOf(reply: readonly unknown[]): EntryFacts {
  const [kind, version, age, ttl, bytes, fences, leasedUntil, now, whole] = reply;
  const leased = text(leasedUntil) !== undefined && Number(leasedUntil) > Number(now);
  const ttlMs = Number(ttl);
  return {
    version: kind === 'done' && text(version) !== undefined ? decimal(version) : undefined,
    state: kind !== 'done' ? 'absent' : text(fences) ? 'fenced' : whole ? 'fresh' : leased ? 'leased' : 'absent',
    ageMs: kind === 'done' && age !== null && age !== undefined ? Number(age) : undefined,
    ttlMs: kind === 'done' && ttlMs >= 0 ? ttlMs : undefined,
    bytes: kind === 'done' ? Number(bytes) : 0,
  };
}

export function array(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw new UnexpectedReply(reply);
  return reply;
}

const text = (reply: unknown): string | undefined =>
  reply === null || reply === undefined ? undefined : String(reply);

const decimal = (reply: unknown): string => String(reply).replace(/^0+(?=\d)/, '');

const fenceNames = (fences: unknown): string[] =>
  (text(fences) ?? '').split(',').flatMap((fence) => (fence === '' ? [] : [fence.split(':')[0] ?? '']));
