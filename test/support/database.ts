// A database of one's own, migrated, for one test file.
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';
import { TEMPLATE } from './servers.js';

export interface TestDatabase {
  readonly url: string;
  /** Part of every Redis key of this database's caches; no other database has it. */
  readonly installation: string;
  readonly partitions: number;
  /** Plays psql: sessions that know nothing of any gateway. */
  readonly psql: postgres.Sql;
  /** Drops the database, whoever is connected. */
  readonly close: () => Promise<void>;
}

/** A fresh copy of the migrated template, as a database that was never used before. */
export async function createDatabase({ partitions = 16 } = {}): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const installation = randomBytes(4).toString('hex');
  await asOwner((owner) => owner.unsafe(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`));
  const url = new URL(inject('databaseUrl'));
  url.pathname = name;
  const psql = postgres(url.href, { max: 6, onnotice: () => {}, connection: { application_name: 'psql' } });
  await psql`UPDATE installation SET id = ${installation}, partitions = ${partitions}`;
  return {
    url: url.href,
    installation,
    partitions,
    psql,
    close: async () => {
      await psql.end({ timeout: 1 });
      await asOwner((owner) => owner.unsafe(`DROP DATABASE ${name} WITH (FORCE)`));
    },
  };
}

async function asOwner(act: (owner: postgres.Sql) => Promise<unknown>): Promise<void> {
  const owner = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
  try {
    await act(owner);
  } finally {
    await owner.end({ timeout: 1 });
  }
}
