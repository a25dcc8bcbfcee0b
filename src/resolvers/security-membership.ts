// Membership in a list, asked in one round-trip. A text is in a list when the list has it; an address is in a list of
// addresses when the list has a network around it. Which of the two the list is, and which lengths its networks have,
// its set says itself by marks: this process remembers what they said last, asks by that, and believes the answer only
// if the marks in it still say the same.
import { LRUCache } from 'lru-cache';
import type { SetView } from '../cache/index.js';
import { ADDRESS_LIST_MARK, DatabaseUnavailable, lengthMark, type Query } from '../db/index.js';
import type { Context } from './context.js';
import { BadRequest } from './errors.js';
import {
  ALL_LENGTHS,
  type Family,
  type Lengths,
  type Network,
  networksAround,
  parseNetwork,
} from './security-address.js';
import { memberFault } from './security-member.js';

/** What the members of a list are. */
type ListShape = { readonly kind: 'TEXT' } | { readonly kind: 'ADDRESS'; readonly lengths: Lengths };

/** All marks that the set of a list may have. */
export const MARKS: readonly string[] = [
  ADDRESS_LIST_MARK,
  ...([4, 6] as const).flatMap((family) => ALL_LENGTHS[family].map((length) => lengthMark(family, length))),
];

/** Lua unpacks no more than some thousands; parts that are asked for together still go in one call. */
const MEMBERS_PER_PART = 4_000;
/** Of a list that this process knows nothing of, so many addresses are asked for by every length that there is. */
const FEW_ADDRESSES = 20;
/** Twice where nothing is known of the list, and again for each write that comes in between. */
const ATTEMPTS = 8;

/** Hints, by the process that they were read in; the answers themselves say whether they still hold. */
const hints = new WeakMap<object, LRUCache<string, ListShape>>();
const MAX_HINTS = 10_000;

function hintsOf(ctx: Context): LRUCache<string, ListShape> {
  const { process } = ctx.repetition;
  const standing = hints.get(process);
  if (standing) return standing;
  const fresh = new LRUCache<string, ListShape>({ max: MAX_HINTS });
  hints.set(process, fresh);
  return fresh;
}

/**
 * Whether each of `members` is in the list; undefined when there is no such list.
 * @throws {BadRequest} for what is no address, when the list is one of addresses: it would be a "no" that nobody meant.
 */
export async function membershipOf(
  ctx: Context,
  view: SetView<Query>,
  name: string,
  members: readonly string[],
): Promise<readonly boolean[] | undefined> {
  const shapes = hintsOf(ctx);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const known = shapes.get(name);
    const question = questionOf(members, known);
    const found = await readTogether(ctx, view, name, question);
    if (found === 'absent') return undefined;
    if (found === 'torn') {
      ctx.cache.clear(); // or the request would be told the same again
      continue;
    }
    const shape = shapeOf(found, known);
    if (shape) shapes.set(name, shape);
    else shapes.delete(name);
    if (shape?.kind === 'TEXT' && question.texts) return members.map((member) => found.has(member));
    if (shape?.kind === 'ADDRESS' && question.lengths && covers(question.lengths, shape.lengths)) {
      return question.networks.map((around, at) => (around ?? refuse(at)).some((network) => found.has(network)));
    }
  }
  throw new DatabaseUnavailable('The list was changed again and again while it was read; try again.');
}

interface Question {
  /** All that is asked for, each once. */
  readonly asked: readonly string[];
  /** Whether the members are asked for as they are. */
  readonly texts: boolean;
  /** Undefined when no marks of lengths are asked for. */
  readonly lengths: Lengths | undefined;
  /** Of each member, the networks around it that are asked for; undefined for what is no address. */
  readonly networks: readonly (readonly string[] | undefined)[];
}

function questionOf(members: readonly string[], known: ListShape | undefined): Question {
  // What can be no member is in no list, and cannot be asked of either store.
  const texts = known?.kind === 'ADDRESS' ? [] : members.filter((member) => memberFault(member) === undefined);
  if (known?.kind === 'TEXT') {
    return { asked: [...new Set([ADDRESS_LIST_MARK, ...texts])], texts: true, lengths: undefined, networks: [] };
  }
  const parsed = members.map(parseNetwork);
  const lengths = known?.lengths ?? (parsed.filter(Boolean).length <= FEW_ADDRESSES ? ALL_LENGTHS : NO_LENGTHS);
  const networks = parsed.map((network?: Network) => network && networksAround(network, lengths));
  const asked = new Set([...MARKS, ...texts, ...networks.flatMap((around) => around ?? [])]);
  return { asked: [...asked], texts: known === undefined, lengths, networks };
}

const NO_LENGTHS: Lengths = { 4: [], 6: [] };

/** Those asked for that the set has, all of one version. */
async function readTogether(
  ctx: Context,
  view: SetView<Query>,
  name: string,
  { asked }: Question,
): Promise<ReadonlySet<string> | 'absent' | 'torn'> {
  const parts = Array.from({ length: Math.ceil(asked.length / MEMBERS_PER_PART) }, (_, at) =>
    asked.slice(at * MEMBERS_PER_PART, (at + 1) * MEMBERS_PER_PART),
  );
  const answers = await Promise.all(parts.map((part) => ctx.cache.readContains(view, name, part)));
  if (answers.every(({ kind }) => kind === 'absent')) return 'absent';
  const found = new Set<string>();
  const versions = new Set<bigint>();
  for (const [at, answer] of answers.entries()) {
    if (answer.kind === 'absent') return 'torn';
    versions.add(answer.version);
    for (const [index, member] of (parts[at] ?? []).entries()) if (answer.contains[index]) found.add(member);
  }
  return versions.size === 1 ? found : 'torn';
}

/** What the marks say; undefined where not all of them were asked for. */
function shapeOf(found: ReadonlySet<string>, known: ListShape | undefined): ListShape | undefined {
  if (!found.has(ADDRESS_LIST_MARK)) return { kind: 'TEXT' };
  if (known?.kind === 'TEXT') return undefined;
  const present = (family: Family) => ALL_LENGTHS[family].filter((length) => found.has(lengthMark(family, length)));
  return { kind: 'ADDRESS', lengths: { 4: present(4), 6: present(6) } };
}

const covers = (asked: Lengths, present: Lengths): boolean =>
  ([4, 6] as const).every((family) => {
    const lengths = new Set(asked[family]);
    return present[family].every((length) => lengths.has(length));
  });

function refuse(at: number): never {
  throw new BadRequest(
    `Element ${at + 1} of members is neither an IP address nor a network, so nothing can be said of it in this list.`,
  );
}
