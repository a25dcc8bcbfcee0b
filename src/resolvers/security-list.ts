// Lists of security values, such as deny lists: asked by membership, changed member by member. Whether something is in a
// list is never guessed: a list that is not there is an error, not a "no".
import { rootOf, type SetView } from '../cache/index.js';
import {
  ADDRESS_LIST_MARK,
  addListMembers,
  findListFacts,
  findSecurityValue,
  type ListKind,
  loadSecurityLists,
  type Query,
  removeListMembers,
  type SecurityValueRow,
  type Tx,
} from '../db/index.js';
import type { Context } from './context.js';
import { BadRequest, Invalid, NotFound } from './errors.js';
import type { Maybe } from './input.js';
import { keptMember, kindOf } from './security-member.js';
import { MARKS, membershipOf } from './security-membership.js';
import {
  NOT_OF_THIS_KIND,
  requireKind,
  requireSecurityName,
  type SecurityValue,
  standingOrNew,
} from './security-record.js';
import { type WriteOptions, write } from './write.js';

export const securityListView: SetView<Query> = {
  name: 'security-list',
  format: 2,
  shape: 'set',
  mode: 'strict',
  ttlMs: 3_600_000,
  load: loadSecurityLists,
};

/** A list may be asked for this many members at a time. */
export const MAX_ASKED_MEMBERS = 1_000;
/** One mutation adds and removes this many members together. */
export const MAX_CHANGED_MEMBERS = 10_000;
/** So many members of a change are kept in the audit log. */
const AUDITED_MEMBERS = 20;

/** The list without its members; null when there is none of this name. */
export async function readSecurityList(ctx: Context, name: string): Promise<SecurityValue | null> {
  const found = await ctx.cache.readContains(securityListView, name, MARKS);
  if (found.kind === 'absent') return null;
  const { contains, count, version, asOf, stale } = found;
  const marks = contains.filter(Boolean).length;
  const isOfAddresses = contains[MARKS.indexOf(ADDRESS_LIST_MARK)] ?? false;
  return listOf({
    name,
    listKind: isOfAddresses ? 'ADDRESS' : 'TEXT',
    memberCount: isOfAddresses ? count - marks : count,
    version,
    asOf,
    stale,
  });
}

/**
 * Whether each of `members` is in the list: a text character by character, an address or network when a network of the
 * list is around it. One round-trip, however large the list; two when this process first asks a list of addresses for
 * many, or its networks have got other lengths since.
 * @throws {NotFound} when there is no such list; {@link BadRequest} for more than 1,000 members, and for what is no
 * address where the list is one of addresses.
 */
export async function securityListContains(
  ctx: Context,
  name: string,
  members: readonly string[],
): Promise<readonly boolean[]> {
  requireSecurityName(name);
  if (members.length > MAX_ASKED_MEMBERS) {
    throw new BadRequest(`Ask for ${MAX_ASKED_MEMBERS.toLocaleString('en')} members at most at a time.`);
  }
  const contained = await membershipOf(ctx, securityListView, name, members);
  if (!contained) throw noList(name);
  return contained;
}

export interface ListChange {
  readonly name: string;
  readonly add?: Maybe<readonly string[]>;
  readonly remove?: Maybe<readonly string[]>;
  /** Of a list that is made now. Left out: ADDRESS when all that is added are addresses and networks, else TEXT. */
  readonly kind?: Maybe<ListKind>;
}

/**
 * Adds and removes members. A list that is not there yet is made by what is added to it. Of a list of addresses a network
 * is removed as a whole, and only if it is among the members: no hole is cut into a larger one.
 */
export async function changeSecurityList(ctx: Context, args: ListChange, options?: Maybe<WriteOptions>) {
  const name = requireSecurityName(args.name);
  const given = { add: args.add ?? [], remove: args.remove ?? [] };
  requireSize(given);
  for (const argument of ['add', 'remove'] as const) kept(given[argument], 'TEXT', argument);
  const root = rootOf(securityListView, name);
  const plan = {
    action: 'changeSecurityList',
    domain: 'SECURITY_VALUE' as const,
    key: name,
    roots: [root] as const,
    options,
  };
  const { result, receipt } = await write(ctx, plan, async (tx) => {
    const { isNew, kind } = await requireList(tx, name, given.add, args.kind ?? undefined);
    const add = kept(given.add, kind, 'add');
    const remove = kept(given.remove, kind, 'remove');
    requireApart(add, remove);
    const { marks: before } = await findListFacts(tx, name, kind);
    const removed = await removeListMembers(tx, name, [...new Set(remove)]);
    const added = await addListMembers(tx, name, [...new Set(add)]);
    const { count, marks, changedAt } = await findListFacts(tx, name, kind);
    const delta = {
      ...root,
      set: [...added, ...marks.filter((mark) => !before.includes(mark))],
      remove: [...remove, ...before.filter((mark) => !marks.includes(mark))],
      count: count + marks.length,
    };
    return {
      result: { kind, added: added.length, removed: removed.length, count, changedAt },
      before: isNew ? null : { members: count - added.length + removed.length },
      after: { members: count, added: audited(added), removed: audited(removed) },
      ...(!isNew && { deltas: [delta] }),
    };
  });
  const { kind, added, removed, count, changedAt } = result;
  const securityValue = listOf({
    name,
    listKind: kind,
    memberCount: count,
    version: receipt.version ?? 0n,
    asOf: changedAt,
    stale: false,
  });
  return { receipt, securityValue, added, removed };
}

const listOf = (
  list: Pick<SecurityValue, 'name' | 'listKind' | 'memberCount' | 'version' | 'asOf' | 'stale'>,
): SecurityValue => ({ ...NOT_OF_THIS_KIND, ...list, kind: 'LIST' });

/** What the members of the list are, and whether it was made just now, as it is when something is added to it. */
async function requireList(tx: Tx, name: string, add: readonly string[], asked: ListKind | undefined) {
  if (add.length > 0) {
    const kind = asked ?? kindOf(add);
    const standing = await standingOrNew(tx, { name, kind: 'LIST', listKind: kind });
    return standing ? { isNew: false, kind: standingKind(standing, asked) } : { isNew: true, kind };
  }
  const standing = await findSecurityValue(tx, name);
  requireKind(standing, 'LIST');
  if (!standing) throw noList(name);
  return { isNew: false, kind: standingKind(standing, asked) };
}

function standingKind({ name, listKind }: SecurityValueRow, asked: ListKind | undefined): ListKind {
  const kind = listKind ?? 'TEXT';
  if (asked === undefined || asked === kind) return kind;
  throw new Invalid(
    `${name} is a list of kind ${kind}, and stays it: leave kind out, or make another list. "espelho import lists --kind" replaces a list as a whole.`,
    { path: ['kind'] },
  );
}

function requireSize({ add, remove }: { readonly add: readonly string[]; readonly remove: readonly string[] }): void {
  if (add.length + remove.length <= MAX_CHANGED_MEMBERS) return;
  const sentence = `One mutation changes ${MAX_CHANGED_MEMBERS.toLocaleString('en')} members at most; bring in a longer list by "espelho import lists".`;
  throw new Invalid(sentence, { path: [add.length > MAX_CHANGED_MEMBERS / 2 ? 'add' : 'remove'] });
}

/** `members` as a list of this kind keeps them. */
function kept(members: readonly string[], kind: ListKind, argument: 'add' | 'remove'): readonly string[] {
  return members.map((text, at) => {
    const { member, fault } = keptMember(text, kind);
    if (fault !== undefined) throw new Invalid(fault, { path: [argument, String(at)] });
    return member;
  });
}

function requireApart(add: readonly string[], remove: readonly string[]): void {
  const added = new Set(add);
  const both = remove.findIndex((member) => added.has(member));
  if (both < 0) return;
  throw new Invalid('This member is to be added and removed at once: leave it out of one of the two.', {
    path: ['remove', String(both)],
  });
}

const audited = (members: readonly string[]) => ({ count: members.length, first: members.slice(0, AUDITED_MEMBERS) });

const noList = (name: string) =>
  new NotFound(`There is no list ${name}, so nothing can be said of its members; changeSecurityList makes one.`, {
    path: ['name'],
  });
