// A write that stops wherever the test says: the steps of the write path, one by one.
import { sql } from 'drizzle-orm';
import type { Committed, Fenced } from '../../src/cache/index.js';
import { changedRoots, closeForWrite, lockRoots, type Tx, txQuery } from '../../src/db/index.js';
import type { Gateway } from './engine.js';

export interface Writing {
  readonly xid: string;
  readonly version: string;
  readonly fence: () => Promise<void>;
  readonly commit: () => Promise<void>;
  readonly rollback: () => Promise<void>;
  /** Publishes after COMMIT; resolves to whether every gateway's next read shows the write. */
  readonly settle: () => Promise<boolean>;
  /** Takes the fence away after a rollback. */
  readonly lift: () => Promise<void>;
}

/** Opens a transaction on `gateway` that gives the note `key` the text; null deletes the note. */
export async function beginWriting(gateway: Gateway, key: string, text: string | null): Promise<Writing> {
  let end = (_how: 'commit' | 'rollback') => {};
  const ended = new Promise<'commit' | 'rollback'>((resolve) => {
    end = resolve;
  });
  let transaction: Promise<unknown> = Promise.resolve();
  const prepared = await new Promise<{ xid: string; committed: Committed[]; tx: Tx }>((resolve, reject) => {
    transaction = gateway.connection.db.transaction(async (tx) => {
      resolve({ ...(await change(gateway, tx, key, text)), tx });
      if ((await ended) === 'rollback') throw new RolledBack();
    });
    transaction.catch(reject);
  });
  const { xid, committed, tx } = prepared;
  let fenced: Fenced = { xid, entries: [], closed: [] };
  return {
    xid,
    version: committed[0]?.version ?? '0',
    fence: async () => {
      fenced = await gateway.cache.writer.fence(committed, xid, (partitions) =>
        closeForWrite(txQuery(tx), partitions, gateway.id),
      );
    },
    commit: async () => {
      end('commit');
      await transaction;
    },
    rollback: async () => {
      end('rollback');
      await transaction.catch((error) => {
        if (!(error instanceof RolledBack)) throw error;
      });
    },
    settle: () => gateway.cache.writer.settle(fenced, committed),
    lift: () => gateway.cache.writer.lift(fenced),
  };
}

/**
 * The whole path. Resolves to whether every gateway's next read shows the write.
 * @throws {CacheUnavailable} when it could not be fenced; nothing is written then.
 */
export async function writeNote(gateway: Gateway, key: string, text: string | null): Promise<boolean> {
  const writing = await beginWriting(gateway, key, text);
  try {
    await writing.fence();
  } catch (error) {
    await writing.rollback();
    throw error;
  }
  await writing.commit();
  return writing.settle();
}

class RolledBack extends Error {
  override readonly name = 'RolledBack';
}

async function change(gateway: Gateway, tx: Tx, key: string, text: string | null) {
  await lockRoots(tx, [{ view: 'note', key }]);
  const query = txQuery(tx);
  if (text === null) await query(sql`DELETE FROM notes WHERE key = ${key}`);
  else
    await query(sql`INSERT INTO notes (key, text) VALUES (${key}, ${text})
      ON CONFLICT (key) DO UPDATE SET text = excluded.text`);
  const { xid, changed } = await changedRoots(tx);
  const committed: Committed[] = [];
  for (const { view: name, key, version } of changed) {
    const view = gateway.cache.view(name);
    const [loaded] = await view.load(query, [key]);
    committed.push({ view: name, key, version, ...(loaded && { stored: gateway.cache.storedForm(view, loaded) }) });
  }
  return { xid, committed };
}
