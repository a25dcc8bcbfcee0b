// What single requests cost: which scripts and commands go to Redis, how many bytes that moves, and which statements go to Postgres. What
// the gateway does beside requests (the relay, leases, seals, policies) is told apart by its script, session or statement.
import { setTimeout } from 'node:timers/promises';
import type { SeenStatement } from './counters.js';
import type { Site } from './site.js';

export interface Cost {
  /** Scripts and commands to Redis, by name. */
  readonly redis: Readonly<Record<string, number>>;
  /** Statements to Postgres, those that begin and end a transaction included. */
  readonly sql: number;
}

export interface Sample extends Cost {
  /** Both ways, of these. */
  readonly redisBytes: number;
}

/** What nothing but a request sends here. */
const SCRIPTS = ['read', 'reads', 'standing', 'renew', 'fill', 'fence', 'publish', 'patch', 'stage', 'allowance'];
const ASKED = [...SCRIPTS, 'ping', 'hget', 'hmget'];
/** Statements on the sessions of requests that are not of one. */
const BESIDE =
  /cache_policies|audit_seals|FROM changes|'changes'::regclass|idempotency|token_uses|pg_try_advisory_xact_lock/;
/** What a request leaves to be done behind its answer, such as a fill. */
const AFTERWARDS_MS = 60;

/** What one call of `act` costs. Something else may come in between: take several. */
export async function costOf(site: Site, act: () => Promise<unknown>): Promise<Sample> {
  const [commandsBefore, statementsBefore] = [site.commands.seen.length, site.statements.seen.length];
  await act();
  await setTimeout(AFTERWARDS_MS);
  const commands = site.commands.seen.slice(commandsBefore).filter(({ name }) => ASKED.includes(name));
  const redis: Record<string, number> = {};
  for (const { name } of commands) redis[name] = (redis[name] ?? 0) + 1;
  return {
    redis,
    sql: statementsOf(site.statements.seen.slice(statementsBefore)),
    redisBytes: commands.reduce((total, { sentBytes, receivedBytes }) => total + sentBytes + receivedBytes, 0),
  };
}

/** A transaction counts as a whole, unless one of its statements tells that it is no request's. */
function statementsOf(seen: readonly SeenStatement[]): number {
  const open = new Map<number, SeenStatement[]>();
  let count = 0;
  for (const statement of seen) {
    if (statement.session !== 'espelho') continue;
    const { connection, text } = statement;
    const transaction = open.get(connection);
    if (/^begin/i.test(text)) open.set(connection, [statement]);
    else if (!transaction) count += BESIDE.test(text) ? 0 : 1;
    else {
      transaction.push(statement);
      if (!/^(commit|rollback)/i.test(text)) continue;
      open.delete(connection);
      if (!transaction.some((each) => BESIDE.test(each.text))) count += transaction.length;
    }
  }
  return count;
}

/**
 * Bytes that each of `times` calls of `act` allocates on the heap, less what the gateway allocates in the same time when
 * nobody asks; undefined where a collection came in between.
 */
export async function allocatedBy(site: Site, times: number, act: () => Promise<unknown>): Promise<number | undefined> {
  const before = await site.mark('collect');
  const startedMs = performance.now();
  for (let time = 0; time < times; time++) await act();
  const asked = await site.mark('look');
  await setTimeout(performance.now() - startedMs);
  const idle = await site.mark('look');
  if (idle.collections > before.collections) return undefined;
  return (asked.heapBytes - before.heapBytes - (idle.heapBytes - asked.heapBytes)) / times;
}
