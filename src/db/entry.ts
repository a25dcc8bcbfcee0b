// The change log: one root row per cached entry, kept by triggers and never by hand. It orders the writers of an
// entry, gives it its version, and tells the relay what changed.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  pgSequence,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';

/** A 64-bit transaction id, as a decimal string. */
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' });

/** A `pg_snapshot`, as Postgres prints it: `xmin:xmax:xip,…`. */
const snapshot = customType<{ data: string }>({ dataType: () => 'pg_snapshot' });

export const entries = pgTable(
  'entry',
  {
    view: text().notNull(),
    key: text().notNull(),
    partition: integer().notNull(),
    version: bigint({ mode: 'bigint' }).notNull(),
    xid: xid8().notNull(),
    changedAt: timestamp('changed_at', { withTimezone: true }).notNull(),
    /** The owning row was deleted, or the entry was locked before there ever was one. */
    deleted: boolean().notNull(),
  },
  (table) => [primaryKey({ columns: [table.view, table.key] }), index('entry_xid').on(table.xid)],
);

/** One row: what this database is to its caches. */
export const installation = pgTable('installation', {
  /** Part of every Redis key, so that databases may share a Redis. */
  id: text().primaryKey(),
  partitions: integer().notNull(),
});

/** What Redis must show before its partition is trusted, and how far the relay has carried changes to it. */
export const partitions = pgTable('entry_partition', {
  partition: integer().primaryKey(),
  incarnation: text().notNull(),
  epoch: bigint({ mode: 'bigint' }).notNull(),
  generation: bigint({ mode: 'bigint' }).notNull(),
  covered: snapshot(),
  /** Gateways may trust the store under this epoch. */
  open: boolean().notNull().default(true),
  /** When an epoch of it was last opened; null where nobody has noted that. */
  openedAt: timestamp('opened_at', { withTimezone: true }),
});

/** The gateways at work; `aliveUntil` is renewed each second. */
export const gateways = pgTable('gateway', {
  id: uuid().primaryKey(),
  store: text().notNull(),
  startedAt: timestamp('started_at', { withTimezone: true }).notNull().defaultNow(),
  aliveUntil: timestamp('alive_until', { withTimezone: true }).notNull(),
  /** Of its looks at the partitions: the last one whose answer it has, and the last one that was answered. */
  turn: bigint({ mode: 'bigint' }).notNull().default(sql`0`),
  beat: bigint({ mode: 'bigint' }).notNull().default(sql`0`),
});

/** Counts the looks of all gateways at the partitions. */
export const gatewayTurns = pgSequence('gateway_turn');
