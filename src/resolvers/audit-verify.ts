// Compares the audit log with its seals: what was edited, deleted, added or moved without the key is named; that the end
// was cut off shows against a head kept elsewhere.
import {
  type AuditSigner,
  CHANGE_TAG_BYTES,
  countUnsealed,
  findLoggedChanges,
  findSeals,
  isSameTag,
  type LoggedChange,
  type Query,
  type Seal,
} from '../db/index.js';
import { headOf } from './audit-sealer.js';

export type AuditFaultKind =
  | 'edited'
  | 'deleted'
  | 'added'
  | 'unsigned'
  | 'seal-edited'
  | 'seal-missing'
  | 'seal-moved'
  | 'foreign-key'
  | 'cut-off';

export interface AuditFault {
  readonly kind: AuditFaultKind;
  /** Of a change its place in the log, of a seal its number. */
  readonly at: string;
  readonly sentence: string;
}

export interface AuditReport {
  /** Changes that were compared with a seal. */
  readonly sealed: number;
  readonly seals: number;
  /** Changes that came after the last seal. */
  readonly unsealed: number;
  /** Age of the oldest of them. */
  readonly unsealedMs: number;
  /** Of the last seal; undefined where there is none. */
  readonly head: string | undefined;
  readonly faults: readonly AuditFault[];
}

export interface AuditVerification {
  readonly query: Query;
  /** Whoever may have signed: the key in use, and the one before it. */
  readonly signers: readonly AuditSigner[];
  /** A head that was kept elsewhere. */
  readonly head?: { readonly number: string; readonly tag: string } | undefined;
  readonly onProgress?: (changes: number) => void;
}

const SEALS_PER_PAGE = 20;
const CHANGES_PER_PAGE = 1_000;

/** Reads the whole log once, a stretch at a time. */
export async function verifyAuditLog(verification: AuditVerification): Promise<AuditReport> {
  const { query, head, onProgress = () => {} } = verification;
  const faults: AuditFault[] = [];
  let sealed = 0;
  let seals = 0;
  let last: Seal | undefined;
  let headFound = false;
  for (;;) {
    const page = await findSeals(query, last?.number ?? '0', SEALS_PER_PAGE);
    for (const seal of page) {
      faults.push(...sealFaults(seal, last, verification.signers));
      headFound ||= seal.number === head?.number && Buffer.from(seal.tag).toString('hex') === head.tag;
      const changes = await changesOf(query, last?.upTo ?? '0', seal.upTo);
      faults.push(...changeFaults(seal, changes, verification.signers));
      sealed += changes.length;
      seals++;
      last = seal;
      onProgress(sealed);
    }
    if (page.length < SEALS_PER_PAGE) break;
  }
  const tail = await countUnsealed(query, last?.upTo ?? '0');
  faults.push(...(await tailFaults(verification, last)));
  if (head && !headFound) faults.push(cutOff(head.number, last));
  return {
    sealed,
    seals,
    unsealed: tail.count,
    unsealedMs: tail.ageMs,
    head: last && headOf(last),
    faults,
  };
}

function sealFaults(seal: Seal, before: Seal | undefined, signers: readonly AuditSigner[]): AuditFault[] {
  const { number } = seal;
  const expected = BigInt(before?.number ?? 0) + 1n;
  const signer = signers.find(({ keyId }) => keyId === seal.keyId);
  const faults: AuditFault[] = [];
  if (BigInt(number) !== expected) {
    faults.push({
      kind: 'seal-missing',
      at: String(expected),
      sentence: `Seal ${expected}${BigInt(number) - expected > 1n ? ` and others up to ${BigInt(number) - 1n} are` : ' is'} missing: the seals were deleted or moved.`,
    });
  } else if (!isSameTag(seal.previous, before?.tag ?? Buffer.alloc(0)) || seal.after !== (before?.upTo ?? '0')) {
    faults.push({ kind: 'seal-moved', at: number, sentence: `Seal ${number} does not continue the one before it.` });
  }
  if (!signer) {
    faults.push({
      kind: 'foreign-key',
      at: number,
      sentence: `Seal ${number} was made with another key (${seal.keyId}): if you have changed the key, set ESPELHO_AUDIT_KEY_OLD to the one before; if not, somebody else has sealed here.`,
    });
  } else if (!isSameTag(seal.tag, signer.sealTag(seal))) {
    faults.push({ kind: 'seal-edited', at: number, sentence: `Seal ${number} was edited.` });
  }
  return faults;
}

/** What a stretch of the log has, against what its seal says it had. */
function changeFaults(seal: Seal, changes: readonly LoggedChange[], signers: readonly AuditSigner[]): AuditFault[] {
  const signer = signers.find(({ keyId }) => keyId === seal.keyId);
  const tags = Buffer.from(seal.tags);
  const sealedTags = new Map(
    seal.sequences.map((sequence, at) => [sequence, tags.subarray(at * CHANGE_TAG_BYTES, (at + 1) * CHANGE_TAG_BYTES)]),
  );
  const faults: AuditFault[] = [];
  for (const change of changes) {
    const { sequence } = change;
    const tag = sealedTags.get(sequence);
    sealedTags.delete(sequence);
    const inTime = BigInt(sequence) <= BigInt(seal.unsignedTo);
    if (!tag) {
      faults.push({ kind: 'added', at: sequence, sentence: `Change ${sequence} was added after seal ${seal.number}.` });
    } else if (signer && !isSameTag(tag, signer.placeTag(change))) {
      const sentence = `Change ${sequence} is not what was sealed: it was edited, or another was moved to its place.`;
      faults.push({ kind: 'edited', at: sequence, sentence });
    } else if (!(inTime && change.tag === null)) {
      faults.push(...ownFaults(change, signers));
    }
  }
  const deleted = [...sealedTags.keys()];
  return [
    ...faults,
    ...deleted.map(
      (sequence): AuditFault => ({
        kind: 'deleted',
        at: sequence,
        sentence: `Change ${sequence} was deleted, or moved elsewhere; seal ${seal.number} vouches that it was there.`,
      }),
    ),
  ];
}

/** What is not sealed yet has its own digests alone: an edit shows, a deletion does not. */
async function tailFaults({ query, signers }: AuditVerification, last: Seal | undefined): Promise<AuditFault[]> {
  const faults: AuditFault[] = [];
  let from = last?.upTo ?? '0';
  for (;;) {
    const changes = await findLoggedChanges(query, from, undefined, CHANGES_PER_PAGE);
    // Before the first seal there may be changes from before there were digests.
    const signed = last ? changes : changes.filter(({ tag }) => tag !== null);
    faults.push(...signed.flatMap((change) => ownFaults(change, signers)));
    from = changes.at(-1)?.sequence ?? from;
    if (changes.length < CHANGES_PER_PAGE) return faults;
  }
}

function ownFaults(change: LoggedChange, signers: readonly AuditSigner[]): AuditFault[] {
  const { sequence, tag } = change;
  if (tag === null) {
    const sentence = `Change ${sequence} bears no digest: it was written by somebody without the key, such as psql, or by an older version of Espelho.`;
    return [{ kind: 'unsigned', at: sequence, sentence }];
  }
  if (signers.some((signer) => isSameTag(tag, signer.changeTag(change)))) return [];
  const sentence = `Change ${sequence} bears a digest that does not hold: it was edited, or written with another key.`;
  return [{ kind: 'edited', at: sequence, sentence }];
}

async function changesOf(query: Query, after: string, upTo: string): Promise<readonly LoggedChange[]> {
  const all: LoggedChange[] = [];
  let from = after;
  for (;;) {
    const page = await findLoggedChanges(query, from, upTo, CHANGES_PER_PAGE);
    all.push(...page);
    from = page.at(-1)?.sequence ?? from;
    if (page.length < CHANGES_PER_PAGE) return all;
  }
}

function cutOff(number: string, last: Seal | undefined): AuditFault {
  const isShorter = BigInt(number) > BigInt(last?.number ?? 0);
  const sentence = isShorter
    ? `The log ends with ${last ? `seal ${last.number}` : 'no seal'}, but seal ${number} was there: its end was cut off, or this is an older backup.`
    : `Seal ${number} is not the one that was there: the log was cut off before it and went on.`;
  return { kind: 'cut-off', at: number, sentence };
}
