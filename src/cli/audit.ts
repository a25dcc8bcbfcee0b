// `espelho audit verify`: whether the audit log is what was written, as far as its seals can tell.

import { auditSigner } from '../db/index.js';
import { type AuditReport, verifyAuditLog } from '../resolvers/index.js';
import { auditSecrets, withDatabase } from './database.js';
import { UsageError } from './failure.js';
import type { Terminal } from './terminal.js';
import { showKeys } from './warm-progress.js';

/** Named in the readable report; JSON has all of them. */
const SHOWN = 20;
/** Beyond it, nobody seals. */
const LATE_MS = 300_000;

/** Reads the whole audit log; gives the exit code: 1 when anything in it is not what was written. */
export async function verifyAudit(
  { head, json = false }: { readonly head?: string; readonly json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const kept = head === undefined ? undefined : requireHead(head);
  const { key, oldKey } = await auditSecrets(terminal.env);
  const signers = [key, oldKey].flatMap((secret) => (secret === undefined ? [] : [auditSigner(secret)]));
  return withDatabase(terminal.env, async ({ query }) => {
    const progress = showKeys(0, terminal);
    const verification = { query, signers, head: kept, onProgress: progress.show };
    const report = await verifyAuditLog(verification).finally(progress.stop);
    terminal.out(json ? `${JSON.stringify(report)}\n` : readable(report, kept !== undefined));
    return report.faults.length > 0 ? 1 : 0;
  });
}

function requireHead(text: string): { number: string; tag: string } {
  const [, number, tag] = /^(\d{1,18}):([0-9a-f]{64})$/i.exec(text.trim()) ?? [];
  if (number === undefined || tag === undefined) {
    throw new UsageError(
      '--head looks like 12:a3… with 64 hex digits, as this command and the log of a gateway show it.',
    );
  }
  return { number, tag: tag.toLowerCase() };
}

function readable({ sealed, seals, unsealed, unsealedMs, head, faults }: AuditReport, compared: boolean): string {
  const count = (number: number, what = '') =>
    `${number.toLocaleString('en')}${what && ` ${what}${number === 1 ? '' : 's'}`}`;
  const lines = faults.slice(0, SHOWN).map(({ sentence }) => sentence);
  if (faults.length > SHOWN) lines.push(`… and ${count(faults.length - SHOWN)} more; --json names all of them.`);
  lines.push(
    `${count(sealed, 'change')} under ${count(seals, 'seal')}: ${faults.length === 0 ? 'as they were written' : count(faults.length, 'fault')}.`,
  );
  if (unsealed > 0) lines.push(`${count(unsealed, 'newer change')} not sealed yet: here a deletion would not show.`);
  if (unsealedMs > LATE_MS) {
    lines.push('Some have waited for minutes: no gateway runs, or a transaction has been writing to the log for long.');
  }
  if (head !== undefined) {
    lines.push(`head ${head}`);
    if (!compared) lines.push('Keep the head elsewhere: with --head it proves later that nothing was cut off the end.');
  }
  return `${lines.join('\n')}\n`;
}
