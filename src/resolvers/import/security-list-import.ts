// Writes a list from files: one transaction makes the list exactly what the files say together, and files imported twice
// change nothing.

import {
  type Db,
  findListFacts,
  findSecurityValue,
  insertChange,
  inTransaction,
  type ListKind,
  lockRoots,
  replaceListMembers,
  setListKind,
  type Tx,
} from '../../db/index.js';
import { securityListView } from '../security-list.js';
import { keptMember, kindOf } from '../security-member.js';
import { requireKind, requireSecurityName, standingOrNew } from '../security-record.js';
import { type ImportOutcome, ImportTally } from './import-report.js';
import { requireReadable } from './readable.js';
import { type ListFileOptions, readListFile } from './security-list-file.js';

export interface SecurityListImportOptions extends ListFileOptions {
  /** All checks, nothing written. */
  readonly dryRun?: boolean | undefined;
}

/** A list is loaded whole when it is first asked for; a longer one would take longer than a reader waits. */
const MAX_MEMBERS = 500_000;

/**
 * Makes the list `name` what `files` say: members that they lack are removed. A list of a given `kind` becomes one; else a
 * standing list stays what it is, and a new one is of addresses if all its members are. The report counts members, each
 * once however often it stands there. Refused lines are left out; nothing is written when no line is a member, or when a file
 * breaks off, since what followed is unknown then.
 * @throws {ImportFailed} when a file cannot be read; {@link Invalid} when the name is none, or another kind of value has it.
 */
export async function importSecurityList(
  db: Db,
  files: readonly string[],
  name: string,
  { dryRun = false, ...options }: SecurityListImportOptions = {},
): Promise<ImportOutcome> {
  requireSecurityName(name);
  await requireReadable(files);
  const kind = options.kind ?? (await standingKind(db, name));
  const tally = new ImportTally();
  const members = new Set<string>();
  let again = 0;
  let broken = false;
  for (const file of files) {
    for await (const record of readListFile(file, { ...options, kind })) {
      if (record.kind === 'refused') {
        tally.refuse({ file, line: record.line, reason: record.reason });
        broken ||= record.breaksOff ?? false;
      } else if (members.has(record.member)) again++;
      else members.add(record.member);
    }
  }
  const whyNot = broken
    ? 'A file could not be read whole, and a list is replaced whole; nothing was written.'
    : members.size === 0
      ? 'The files have no member; nothing was written.'
      : members.size > MAX_MEMBERS
        ? `The files have ${members.size} members, and a list has at most ${MAX_MEMBERS}; nothing was written.`
        : undefined;
  if (whyNot !== undefined) {
    if (members.size > 0) tally.refuse({ file: files.join(', '), line: 0, reason: whyNot }, members.size + again);
    else tally.note({ file: files.join(', '), line: 0, reason: whyNot });
    return tally.outcome();
  }
  const list = kind ? { kind, members: [...members] } : listOf([...members]);
  const { added, changed } = await writeList(db, name, list, dryRun);
  tally.write(added);
  tally.keep(members.size - added + again);
  tally.changed ||= changed;
  return tally.outcome();
}

interface List {
  readonly kind: ListKind;
  /** Each once, as a list of this kind keeps it. */
  readonly members: readonly string[];
}

/** What a new list of these texts is. */
function listOf(texts: readonly string[]): List {
  const kind = kindOf(texts);
  const members = new Set(texts.flatMap((text) => keptMember(text, kind).member ?? []));
  return { kind, members: [...members] };
}

/** Undefined when there is no list of this name. */
async function standingKind(db: Db, name: string): Promise<ListKind | undefined> {
  const standing = await inTransaction(db, (tx) => findSecurityValue(tx, name));
  requireKind(standing, 'LIST');
  return standing && (standing.listKind ?? 'TEXT');
}

async function writeList(db: Db, name: string, { kind, members }: List, dryRun: boolean) {
  let outcome = { added: 0, changed: false };
  const write = async (tx: Tx) => {
    await lockRoots(tx, [{ view: securityListView.name, key: name }]);
    const standing = await standingOrNew(tx, { name, kind: 'LIST', listKind: kind });
    const made = standing === undefined;
    const becomesOther = !made && (standing.listKind ?? 'TEXT') !== kind;
    if (becomesOther) await setListKind(tx, name, kind);
    const { added, removed } = await replaceListMembers(tx, name, members);
    outcome = { added, changed: made || becomesOther || added + removed > 0 };
    if (dryRun) throw new DryRun();
    if (!outcome.changed) return;
    const { count } = await findListFacts(tx, name, kind);
    await insertChange(tx, {
      id: crypto.randomUUID(),
      actor: 'cli',
      action: 'importSecurityList',
      domain: 'SECURITY_VALUE',
      key: name,
      before: made ? null : { members: count - added + removed },
      after: { members: count, added: { count: added }, removed: { count: removed } },
    });
  };
  try {
    await inTransaction(db, write);
  } catch (error) {
    if (!(error instanceof DryRun)) throw error;
  }
  return outcome;
}

/** Rolls a transaction back that did what was to be found out. */
class DryRun extends Error {
  override readonly name = 'DryRun';
}
