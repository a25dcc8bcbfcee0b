// `espelho migrate`: the database gets the schema of this version.

import { withMigrated } from './database.js';
import type { Terminal } from './terminal.js';

/** Brings the database to the schema of this version; does nothing when it has it. */
export async function migrateDatabase(terminal: Terminal): Promise<void> {
  await withMigrated(terminal.env, async () => {});
  terminal.out('The database has the schema of this version.\n');
}
