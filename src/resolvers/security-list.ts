// Lists of security values, such as deny lists: asked by membership, changed member by member. Whether something is in a
// list is never guessed: a list that is not there is an error, not a "no".
import { rootOf, type SetView } from '../cache/index.js';
import {
  addListMembers,
  findListFacts,
  findSecurityValue,
  loadSecurityLists,
  type Query,
  removeListMembers,
  type Tx,
} from '../db/index.js';
import type { Context } from './context.js';
import { BadRequest, Invalid, NotFound } from './errors.js';
import type { Maybe } from './input.js';
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
  format: 1,
  shape: 'set',
  mode: 'strict',
  ttlMs: 3_600_000,
  load: loadSecurityLists,
};

/** A list may be asked for this many members at a time. */
export const MAX_ASKED_MEMBERS = 1_000;
/** One mutation adds and removes this many members together. */
export const MAX_CHANGED_MEMBERS = 10_000;
const MAX_MEMBER_LENGTH = 1_000;
/** Postgres indexes no more than 2,704 bytes, name included. */
const MAX_MEMBER_BYTES = 2_000;
/** So many members of a change are kept in the audit log. */
const AUDITED_MEMBERS = 20;

/** The list without its members; null when there is none of this name. */
export async function readSecurityList(ctx: Context, name: string): Promise<SecurityValue | null> {
  const found = await ctx.cache.readContains(securityListView, name, []);
  if (found.kind === 'absent') return null;
  const { count, version, asOf, stale } = found;
  return { ...NOT_OF_THIS_KIND, name, kind: 'LIST', memberCount: count, version, asOf, stale };
}

/**
 * Whether each of `members` is in the list, compared character by character; one round-trip, however large the list.
 * @throws {NotFound} when there is no such list; {@link BadRequest} for more than 1,000 members.
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
  // What can be no member is in no list, and cannot be asked of either store.
  const asked = members.filter((member) => memberFault(member) === undefined);
  const found = await ctx.cache.readContains(securityListView, name, asked);
  if (found.kind === 'absent') throw noList(name);
  const contained = new Set(asked.filter((_, at) => found.contains[at]));
  return members.map((member) => contained.has(member));
}

/** Adds and removes members. A list that is not there yet is made by what is added to it. */
export async function changeSecurityList(
  ctx: Context,
  args: { readonly name: string; readonly add?: Maybe<readonly string[]>; readonly remove?: Maybe<readonly string[]> },
  options?: Maybe<WriteOptions>,
) {
  const name = requireSecurityName(args.name);
  const { add, remove } = requireChange(args.add ?? [], args.remove ?? []);
  const root = rootOf(securityListView, name);
  const plan = {
    action: 'changeSecurityList',
    domain: 'SECURITY_VALUE' as const,
    key: name,
    roots: [root] as const,
    options,
  };
  const { result, receipt } = await write(ctx, plan, async (tx) => {
    const isNew = await requireList(tx, name, add.length > 0);
    const removed = await removeListMembers(tx, name, remove);
    const added = await addListMembers(tx, name, add);
    const { count, changedAt } = await findListFacts(tx, name);
    const delta = { ...root, set: added, remove: removed, count };
    return {
      result: { added: added.length, removed: removed.length, count, changedAt },
      before: isNew ? null : { members: count - added.length + removed.length },
      after: { members: count, added: audited(added), removed: audited(removed) },
      ...(!isNew && { deltas: [delta] }),
    };
  });
  const { added, removed, count, changedAt } = result;
  const securityValue: SecurityValue = {
    ...NOT_OF_THIS_KIND,
    name,
    kind: 'LIST',
    memberCount: count,
    version: receipt.version ?? 0n,
    asOf: changedAt,
    stale: false,
  };
  return { receipt, securityValue, added, removed };
}

/** Why `member` can be in no list, as a sentence that does not repeat it; undefined when it can. */
export function memberFault(member: string): string | undefined {
  if (member === '') return 'A member has at least one character.';
  if (member.length > MAX_MEMBER_LENGTH || Buffer.byteLength(member) > MAX_MEMBER_BYTES) {
    return `A member has at most ${MAX_MEMBER_LENGTH} characters and ${MAX_MEMBER_BYTES} bytes in UTF-8.`;
  }
  if (member.includes('\0') || /\p{Surrogate}/u.test(member)) return 'A member has no NUL and no half of a character.';
  return undefined;
}

/** Whether the list was made just now. */
async function requireList(tx: Tx, name: string, mayMake: boolean): Promise<boolean> {
  if (mayMake) return (await standingOrNew(tx, { name, kind: 'LIST' })) === undefined;
  const standing = await findSecurityValue(tx, name);
  requireKind(standing, 'LIST');
  if (!standing) throw noList(name);
  return false;
}

function requireChange(add: readonly string[], remove: readonly string[]) {
  if (add.length + remove.length > MAX_CHANGED_MEMBERS) {
    const sentence = `One mutation changes ${MAX_CHANGED_MEMBERS.toLocaleString('en')} members at most; bring in a longer list by "espelho import lists".`;
    throw new Invalid(sentence, { path: [add.length > MAX_CHANGED_MEMBERS / 2 ? 'add' : 'remove'] });
  }
  for (const [argument, members] of Object.entries({ add, remove })) {
    for (const [at, member] of members.entries()) {
      const fault = memberFault(member);
      if (fault !== undefined) throw new Invalid(fault, { path: [argument, String(at)] });
    }
  }
  const added = new Set(add);
  const both = remove.findIndex((member) => added.has(member));
  if (both >= 0) {
    throw new Invalid('This member is to be added and removed at once: leave it out of one of the two.', {
      path: ['remove', String(both)],
    });
  }
  return { add: [...added], remove: [...new Set(remove)] };
}

const audited = (members: readonly string[]) => ({ count: members.length, first: members.slice(0, AUDITED_MEMBERS) });

const noList = (name: string) =>
  new NotFound(`There is no list ${name}, so nothing can be said of its members; changeSecurityList makes one.`, {
    path: ['name'],
  });
