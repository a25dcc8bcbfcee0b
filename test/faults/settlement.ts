// What must hold once nothing goes wrong any more: every gateway trusts its cache again, answers what SQL holds, and no
// acknowledged write is missing.
import type { Checker } from './checker.js';
import { checkedKey, type Domain } from './domain.js';
import { domains } from './domains.js';
import type { GatewayProcess } from './gateway-process.js';
import type { Site } from './site.js';
import { isCovered, pause } from './traffic.js';
import { isRecord } from './wire.js';

const TRUST_MS = 30_000;
const AGREEMENT_ATTEMPTS = 3;

/** What does not hold; empty when all is well. */
export async function settlementFaults(site: Site, checker: Checker, changes: readonly string[]): Promise<string[]> {
  const faults: string[] = [];
  for (const gateway of site.gateways) {
    if (!(await trusts(gateway))) faults.push(`${gateway.name} does not trust its cache after ${TRUST_MS} ms of quiet`);
  }
  const sql = site.postgres.psql;
  if (!(await isCovered(sql))) faults.push('the last barrier did not return');
  for (const domain of domains) faults.push(...(await domainFaults(site, checker, domain)));
  const rows = await sql<{ id: string }[]>`SELECT id FROM changes`;
  const kept = new Set(rows.map(({ id }) => id));
  const lost = changes.filter((id) => !kept.has(rowIdOf(id)));
  if (lost.length > 0)
    faults.push(`${lost.length} acknowledged writes are not in Postgres, such as ${rowIdOf(lost[0] ?? '')}`);
  return faults;
}

async function trusts(gateway: GatewayProcess): Promise<boolean> {
  const untilMs = performance.now() + TRUST_MS;
  while (performance.now() < untilMs) {
    const answer = await gateway.ask('{ cacheStatus { trusted } }').catch(() => undefined);
    const status = answer?.data?.cacheStatus;
    if (isRecord(status) && status.trusted === true) return true;
    await pause(100);
  }
  return false;
}

async function domainFaults({ postgres, gateways }: Site, checker: Checker, domain: Domain): Promise<string[]> {
  const sql = postgres.psql;
  const stored = await domain.stored(sql);
  const rows = await sql<{ view: string; key: string; version: string }[]>`SELECT view, key, version FROM entry`;
  const versions = new Map(rows.map(({ view, key, version }) => [`${view}:${key}`, Number(version)]));
  const faults: string[] = [];
  for (const { key: name, version } of checker.expected()) {
    const key = domain.batches.flat().find((each) => checkedKey(domain, each) === name);
    if (key === undefined) continue;
    const { view, key: entry } = domain.entry(key);
    const standing = versions.get(`${view}:${entry}`) ?? 0;
    if (standing < version)
      faults.push(`${name} stands at version ${standing} in SQL, but ${version} was acknowledged`);
  }
  for (const gateway of gateways) {
    for (const keys of domain.batches) faults.push(...(await disagreements(gateway, domain, keys, stored)));
  }
  return faults;
}

/** Asked again and again, so that hits are among the answers. */
async function disagreements(
  gateway: GatewayProcess,
  domain: Domain,
  keys: readonly string[],
  stored: ReadonlyMap<string, string | null>,
): Promise<string[]> {
  const faults: string[] = [];
  const { query, variables } = domain.read(keys);
  for (let attempt = 0; attempt < AGREEMENT_ATTEMPTS && faults.length === 0; attempt++) {
    const answer = await gateway.ask(query, variables, { trace: true }).catch(() => undefined);
    const answers = answer ? domain.answers(answer, keys) : [];
    for (const [at, key] of keys.entries()) {
      const is = answers[at];
      const should = stored.get(key) ?? null;
      if (!is) faults.push(`${gateway.name} does not answer ${checkedKey(domain, key)}`);
      else if (is.value !== should) {
        faults.push(`${gateway.name} answers ${is.value} for ${checkedKey(domain, key)}, but SQL holds ${should}`);
      }
    }
  }
  return faults.length > 3 ? [...faults.slice(0, 2), `… and so on for ${faults.length} keys`] : faults;
}

/** A global id is the name of a type and an id, in base64. */
function rowIdOf(globalId: string): string {
  const text = Buffer.from(globalId, 'base64url').toString();
  return text.slice(text.indexOf(':') + 1);
}
