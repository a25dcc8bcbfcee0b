// Entries put into the store as no gateway would: wrong on purpose.
import { type AnyView, fieldOf, type Loaded, partitionOf } from '../../src/cache/index.js';
import type { Query } from '../../src/db/index.js';
import type { TestDatabase } from '../support/database.js';
import type { Gateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';

const ANY_VERSION = '9'.repeat(19);

/** What SQL says of one entry now. */
export async function loadOne({ connection }: Gateway, view: AnyView<Query>, key: string): Promise<Loaded> {
  const [loaded] = await view.load(connection.query, [key]);
  if (!loaded) throw new Error(`View ${view.name} did not load ${key}.`);
  return loaded;
}

/** Makes what SQL says of the entry, changed by `wrong`, stand in the store under the guard in force. */
export async function plant(
  gateway: Gateway,
  { partitions }: TestDatabase,
  view: AnyView<Query>,
  key: string,
  wrong: Partial<Pick<Loaded, 'version' | 'value' | 'members'>> = {},
): Promise<void> {
  const { store, changeLog } = gateway;
  const { version, changedAtMs, value, members } = { ...(await loadOne(gateway, view, key)), ...wrong };
  const partition = partitionOf(view.name, key, partitions);
  const guard = (await changeLog.partitions()).find((row) => row.partition === partition);
  if (!guard) throw new Error(`Partition ${partition} was never begun.`);
  const entry = { view: view.name, key, field: fieldOf(view) };
  const stored = { ...entry, shape: view.shape, version, changedAtMs, ttlMs: 3_600_000, value, members };
  // The relay may be dropping what was written a moment ago, and takes the lease with it.
  await eventually(async () => {
    await store.drop([{ partition, guard, items: [{ ...entry, version: ANY_VERSION, xid: '0' }] }]);
    const [read] = await store.read([{ partition, guard, items: [{ ...entry, secret: 'planted' }] }]);
    const lease = read?.kind === 'done' ? read.replies[0] : undefined;
    if (lease?.kind !== 'lease') return false;
    const [reply] = await store.fill([{ partition, guard, items: [{ ...stored, token: lease.token }] }]);
    return reply?.kind === 'done' && reply.replies[0] !== undefined;
  });
}

/** Resolves once the store's own cursors cover everything that was committed so far. */
export async function carriedOver({ store, changeLog }: Gateway, { partitions }: TestDatabase): Promise<void> {
  await eventually(async () => {
    const cursors = (await store.meta(Array.from({ length: partitions }, (_, at) => at))).map(
      (meta) => meta?.stored?.cursor,
    );
    for (const cursor of new Set(cursors)) {
      const covered = cursors.flatMap((each, partition) => (each === cursor ? [partition] : []));
      const pending = cursor === undefined ? undefined : (await changeLog.changesSince(cursor, covered)).entries;
      if (pending?.length !== 0) return false;
    }
    return true;
  });
}
