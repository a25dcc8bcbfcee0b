// `espelho rekey`: secrets are put under a new master key while the gateways serve. Success means that nothing in Postgres
// or Redis needs the old key any more.

import { randomBytes } from 'node:crypto';
import { masterKeyOf } from '../resolvers/index.js';
import { countToRekey, type LeftVersion, type RekeyOutcome, rekeySecrets } from '../resolvers/secret-rekey.js';
import { awaitVisible, commandConfig, withDatabase } from './database.js';
import { UsageError } from './failure.js';
import type { Terminal } from './terminal.js';
import { showKeys } from './warm-progress.js';

/** Named in the readable report; JSON has all of them. */
const SHOWN = 20;

/** Wraps all data keys under ESPELHO_MASTER_KEY; gives the exit code: 1 when any version is left under another key. */
export async function rekey(
  { dryRun = false, json = false }: { dryRun?: boolean; json?: boolean },
  terminal: Terminal,
) {
  const { masterKey: key, oldMasterKey, home, databaseUrl } = commandConfig(terminal.env);
  const kept = databaseUrl === undefined ? `${home}/master-key` : undefined;
  const keeps = kept === undefined ? '' : ` An embedded start keeps its own in ${kept}.`;
  if (key === undefined) {
    throw new UsageError(
      `Set ESPELHO_MASTER_KEY to the new master key and ESPELHO_MASTER_KEY_OLD to the one before, for the gateways and for this command; make one with: openssl rand -hex 32.${keeps}`,
    );
  }
  const masterKey = masterKeyOf(key, oldMasterKey);
  return withDatabase(terminal.env, async (connection) => {
    const total = await countToRekey(connection, masterKey);
    if (total > 0 && oldMasterKey === undefined) {
      throw new UsageError(
        `${counted(total)} of secrets ${total === 1 ? 'is' : 'are'} stored under another master key: set ESPELHO_MASTER_KEY_OLD to it.${keeps}`,
      );
    }
    const progress = showKeys(total, terminal);
    const outcome = await rekeySecrets(connection, masterKey, {
      dryRun,
      onProgress: progress.show,
      randomBytes,
    }).finally(progress.stop);
    // Entries of Redis that still need the old key are gone before anybody is told that it can go.
    if (!dryRun) await awaitVisible(connection);
    terminal.out(json ? `${JSON.stringify({ dryRun, ...outcome })}\n` : readable(outcome, dryRun, kept));
    return dryRun ? Number(outcome.left.length > 0) : Number(outcome.remaining > 0);
  });
}

function readable({ rewrapped, left, remaining }: RekeyOutcome, dryRun: boolean, kept: string | undefined): string {
  const lines = dryRun
    ? [`Dry run: nothing was written. ${counted(rewrapped)} would come under the new master key.`]
    : [`${counted(rewrapped)} came under the new master key.`];
  lines.push(...left.slice(0, SHOWN).map(sentenceOf));
  if (left.length > SHOWN) lines.push(`… and ${left.length - SHOWN} more; --json names all of them.`);
  if (!dryRun && remaining > left.length) {
    lines.push(
      `${counted(remaining - left.length)} came in under another master key meanwhile: give all gateways the new ESPELHO_MASTER_KEY, and run this again.`,
    );
  }
  if (!dryRun && remaining === 0) {
    lines.push(`Nothing needs the old one any more: remove ESPELHO_MASTER_KEY_OLD.`);
    if (kept !== undefined) lines.push(`Go on setting ESPELHO_MASTER_KEY, or put the new key into ${kept}.`);
  }
  return `${lines.join('\n')}\n`;
}

const sentenceOf = ({ name, number, reason }: LeftVersion): string =>
  reason === 'damaged'
    ? `Left: version ${number} of ${name} is damaged; restore it from a backup, or destroy it.`
    : `Left: version ${number} of ${name} is under a third master key; run this again with that as ESPELHO_MASTER_KEY_OLD.`;

const counted = (versions: number): string => `${versions} ${versions === 1 ? 'version' : 'versions'}`;
