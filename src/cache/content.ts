// Whether an entry holds exactly what SQL gave for its version, found in pieces: no call to the store moves or asks for
// more than a thousand members, however large the entry is.
import { Members, type Part } from './part.js';
import type { Hit } from './store.js';
import type { Loaded, Shape } from './view.js';

/** Lua unpacks no more than some thousands, and readers queue behind each call. */
const MEMBERS_PER_CALL = 1_000;

/** Moved: it did not keep the version for as long as the look took. Gone: it does not stand whole any more. */
export type Content = 'same' | 'other' | 'moved' | 'gone';

/**
 * Compares what `peek` finds with `loaded`. A set that has as many members as SQL, and each of SQL's among them, is equal
 * to it; so is a hash with as many fields, and a list with as many rows.
 */
export async function compareContent(
  peek: (part: Part | undefined) => Promise<Hit | undefined>,
  shape: Shape,
  loaded: Loaded,
): Promise<Content> {
  const members = new Members(shape, loaded.value === null ? [] : (loaded.members ?? []));
  for (const part of partsOf(shape, members)) {
    const hit = await peek(part);
    if (!hit) return 'gone';
    if (hit.version !== loaded.version) return 'moved';
    if (hit.value !== loaded.value || hit.count !== members.count) return 'other';
    const wanted = part?.kind === 'contains' ? part.members.map(() => '1') : members.part(part);
    if (hit.members.length !== wanted.length || wanted.some((member, at) => hit.members[at] !== member)) return 'other';
  }
  return 'same';
}

/** The parts that are the whole together; of what has no members, the one look that its value takes. */
function partsOf(shape: Shape, members: Members): readonly (Part | undefined)[] {
  if (members.count === 0) return [undefined];
  const names = shape === 'list' ? [] : namesOf(members);
  return Array.from({ length: Math.ceil(members.count / MEMBERS_PER_CALL) }, (_, at) => {
    const first = at * MEMBERS_PER_CALL;
    if (shape === 'list') return { kind: 'rows', first, last: Math.min(first + MEMBERS_PER_CALL, members.count) - 1 };
    const some = names.slice(first, first + MEMBERS_PER_CALL);
    return shape === 'hash' ? { kind: 'fields', names: some } : { kind: 'contains', members: some };
  });
}

const namesOf = (members: Members): string[] =>
  members.part({ kind: 'all' }).flatMap((word, at) => (at % 2 === 0 && word !== null ? [word] : []));
