// Changes the master key under the secrets while gateways serve: the data key of each version is wrapped anew, batch by
// batch, and the values themselves are not touched. Which key has wrapped what, every row says itself, so that a run
// that was broken off is continued by another one.
import {
  type Connection,
  countWrappedOtherwise,
  findWrappedOtherwise,
  insertChange,
  inTransaction,
  lockRoots,
  lockWrappedKeys,
  type Query,
  setWrappedKeys,
  type Tx,
  type VersionPlace,
  type WrappedVersion,
} from '../db/index.js';
import { EnvelopeDamaged, ForeignMasterKey, type MasterKey, rewrap } from './envelope.js';
import { secretView } from './secret.js';

/** A version that was left as it is, and why. */
export interface LeftVersion extends VersionPlace {
  readonly reason: 'damaged' | 'foreign-key';
}

export interface RekeyOutcome {
  /** Versions that the master key has wrapped now, and had not before. */
  readonly rewrapped: number;
  readonly left: readonly LeftVersion[];
  /** Versions that another master key has wrapped; more than are left when a gateway still seals under another one. */
  readonly remaining: number;
}

export interface RekeyOptions {
  /** All checks, nothing written. */
  readonly dryRun?: boolean;
  /** Versions per transaction: their secrets' writers wait that long. */
  readonly batch?: number;
  readonly onProgress?: (done: number) => void;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** Gateways that have the other key may put secrets in behind a pass; a further one finds those. */
const PASSES = 3;

/** How many versions another master key than this one has wrapped. */
export const countToRekey = ({ query }: Connection, { id }: MasterKey): Promise<number> =>
  countWrappedOtherwise(query, id);

/** How many versions this process cannot open, for want of the master key that has wrapped them. */
export const countLocked = (query: Query, { id, old }: MasterKey): Promise<number> =>
  countWrappedOtherwise(query, id, ...(old ? [old.id] : []));

/**
 * Wraps the data key of every version under `masterKey` that its `old` one has wrapped. Each batch is one transaction, with
 * an audit row for each secret in it; what was done stays done when a later one fails.
 */
export async function rekeySecrets(
  { db, query }: Connection,
  masterKey: MasterKey,
  { dryRun = false, batch = 50, onProgress = () => {}, randomBytes }: RekeyOptions,
): Promise<RekeyOutcome> {
  let rewrapped = 0;
  for (let pass = 1; ; pass++) {
    const left: LeftVersion[] = [];
    for (let after: VersionPlace | undefined; ; ) {
      const places = await findWrappedOtherwise(query, masterKey.id, after, batch);
      after = places.at(-1);
      if (!after) break;
      const done = await inTransaction(db, (tx) => rekeyBatch(tx, masterKey, places, { dryRun, randomBytes }));
      left.push(...done.left);
      rewrapped += done.rewrapped;
      onProgress(rewrapped + left.length);
    }
    const remaining = await countWrappedOtherwise(query, masterKey.id);
    if (dryRun || pass === PASSES || remaining <= left.length) return { rewrapped, left, remaining };
  }
}

async function rekeyBatch(
  tx: Tx,
  masterKey: MasterKey,
  places: readonly VersionPlace[],
  { dryRun, randomBytes }: Required<Pick<RekeyOptions, 'dryRun' | 'randomBytes'>>,
) {
  const names = [...new Set(places.map(({ name }) => name))];
  await lockRoots(
    tx,
    names.map((key) => ({ view: secretView.name, key })),
  );
  const left: LeftVersion[] = [];
  const fresh: WrappedVersion[] = [];
  for (const { name, number, wrappedKey } of await lockWrappedKeys(tx, masterKey.id, places)) {
    try {
      fresh.push({ name, number, wrappedKey: rewrap(masterKey, { name, number }, wrappedKey, randomBytes) });
    } catch (error) {
      left.push({ name, number, reason: reasonOf(error) });
    }
  }
  if (dryRun || fresh.length === 0) return { left, rewrapped: fresh.length };
  await setWrappedKeys(tx, fresh);
  for (const name of names) {
    const versions = fresh.filter((version) => version.name === name).map(({ number }) => number);
    if (versions.length > 0) await audit(tx, name, versions);
  }
  return { left, rewrapped: fresh.length };
}

function reasonOf(error: unknown): LeftVersion['reason'] {
  if (error instanceof ForeignMasterKey) return 'foreign-key';
  if (error instanceof EnvelopeDamaged) return 'damaged';
  throw error;
}

const audit = (tx: Tx, name: string, versions: readonly number[]) =>
  insertChange(tx, {
    id: crypto.randomUUID(),
    actor: 'cli',
    action: 'rekeySecret',
    domain: 'SECURITY_VALUE',
    key: name,
    before: null,
    after: { versions },
  });
