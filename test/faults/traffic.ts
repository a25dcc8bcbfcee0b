// What clients do: readers that ask every gateway for many keys at a time, writers that change single keys, and psql.
// All of it is told to the checker.
import postgres from 'postgres';
import type { Checker } from './checker.js';
import { checkedKey, type Domain, NothingToEdit } from './domain.js';
import { domains } from './domains.js';
import { type GatewayProcess, type GraphQLAnswer, NoAnswer } from './gateway-process.js';
import { Pace } from './pace.js';
import type { Site } from './site.js';
import type { Write } from './violation.js';
import { isRecord } from './wire.js';

export interface Traffic {
  readonly site: Site;
  readonly checker: Checker;
  readonly tallies: Tallies;
  readonly random: () => number;
  readonly over: () => boolean;
  /** For values, so that each is written once. */
  readonly serial: () => number;
}

/** What is counted beside the checker. */
export class Tallies {
  /** Error codes of reads and writes. */
  readonly readErrors = new Map<string, number>();
  readonly writeErrors = new Map<string, number>();
  /** Outcomes of traced reads. */
  readonly outcomes = new Map<string, number>();
  /** Ids of audit rows that must be there in the end. */
  readonly changes: string[] = [];
  /** Ready answers that gateways gave again, and those that they did not give because something had changed. */
  answersGiven = 0;
  answersOutdated = 0;
  covered = 0;
  uncovered = 0;
}

export const count = (tally: Map<string, number>, name: string, by = 1): void => {
  tally.set(name, (tally.get(name) ?? 0) + by);
};

/** How long the clients of a gateway wait before they see whether it is up again. */
const DOWN_MS = 50;

const READS_PER_SECOND = 3_300;
const READERS_PER_GATEWAY = 4;
/** How often a batch is asked in a row, so that the same answer is given again where it stands. */
const REPEATS = 3;
/** The share of questions that are like none before, so that they are always executed. */
const SINGULAR = 0.25;
const TRACED = 0.04;

/** Asks every gateway for one batch after another, together at the rate of the run. */
export function readers(traffic: Traffic): Promise<void>[] {
  const pace = new Pace(READS_PER_SECOND);
  return traffic.site.gateways.flatMap((gateway) =>
    Array.from({ length: READERS_PER_GATEWAY }, () => reader(traffic, gateway, pace)),
  );
}

async function reader(traffic: Traffic, gateway: GatewayProcess, pace: Pace): Promise<void> {
  const { random, over } = traffic;
  while (!over()) {
    if (!gateway.up) {
      await pause(DOWN_MS);
      continue;
    }
    const domain = oneOf(domains, random);
    const keys = oneOf(domain.batches, random);
    await pace.turn(REPEATS * keys.length);
    for (let time = 0; time < REPEATS && gateway.up && !over(); time++) {
      await readBatch(traffic, gateway, domain, keys);
    }
  }
}

async function readBatch(traffic: Traffic, gateway: GatewayProcess, domain: Domain, keys: readonly string[]) {
  const { checker, tallies, random, serial } = traffic;
  const { query, variables } = domain.read(keys);
  const form = { trace: random() < TRACED, mark: random() < SINGULAR ? serial() : undefined };
  const ends = keys.map((key) => checker.beginRead(checkedKey(domain, key)));
  const answer = await gateway.ask(query, variables, form).catch(noAnswer);
  if (!answer) {
    count(tallies.readErrors, 'NO_ANSWER', keys.length);
    return;
  }
  const answers = domain.answers(answer, keys);
  for (const [at, one] of answers.entries()) {
    if (one) ends[at]?.(one, gateway.name);
    else count(tallies.readErrors, answer.errors[0]?.code ?? 'IN_ANSWER');
  }
  for (const { outcome } of answer.trace) count(tallies.outcomes, outcome);
}

const WRITES_PER_SECOND = 110;
const WRITERS_PER_GATEWAY = 8;

/** Changes single keys by way of every gateway, together at the rate of the run. */
export function writers(traffic: Traffic): Promise<void>[] {
  const pace = new Pace(WRITES_PER_SECOND);
  return traffic.site.gateways.flatMap((gateway) =>
    Array.from({ length: WRITERS_PER_GATEWAY }, () => writer(traffic, gateway, pace)),
  );
}

async function writer(traffic: Traffic, gateway: GatewayProcess, pace: Pace): Promise<void> {
  const { random, over } = traffic;
  while (!over()) {
    if (!gateway.up) {
      await pause(DOWN_MS);
      continue;
    }
    await pace.turn();
    const domain = oneOf(domains, random);
    const batch = oneOf(domain.batches, random);
    // Half of all writes meet on a few keys.
    const key = oneOf(random() < 0.5 ? batch.slice(0, 4) : batch, random);
    await writeOne(traffic, gateway, domain, key);
  }
}

/** Gives the key another value by way of the gateway, and tells the checker what came of it. */
export async function writeOne(traffic: Traffic, gateway: GatewayProcess, domain: Domain, key: string): Promise<void> {
  const { checker, random, serial } = traffic;
  const value = domain.spell(serial(), random);
  const operation = domain.write(key, value, random);
  if (!operation) return;
  const write = checker.beginWrite(checkedKey(domain, key), value);
  const answer = await gateway.ask(operation.query, operation.variables).catch((error: unknown) => {
    if (!(error instanceof NoAnswer)) throw error;
    return error;
  });
  endWrite(traffic, write, answer);
}

/** Tells the checker what a mutation's answer says of it; resolves to its payload where it has one. */
export function endWrite({ tallies }: Traffic, write: Write, answer: GraphQLAnswer | NoAnswer) {
  if (answer instanceof NoAnswer) {
    count(tallies.writeErrors, answer.sent ? 'NO_ANSWER' : 'NOT_SENT');
    if (answer.sent) write.lose();
    else write.refuse();
    return undefined;
  }
  const payload = answer.data?.write;
  if (isRecord(payload) && isRecord(payload.receipt)) {
    const { changeId, version, visible } = payload.receipt;
    tallies.changes.push(String(changeId));
    write.acknowledge(Number(version), visible === true);
    return payload;
  }
  const [error] = answer.errors;
  const code = isRecord(payload) ? String(payload.code) : (error?.code ?? 'NONE');
  count(tallies.writeErrors, code);
  if (isRecord(payload) || isRefusal(code, error?.message ?? '')) write.refuse();
  else write.lose();
  return undefined;
}

/** Whether the error says that nothing was written. */
function isRefusal(code: string, message: string): boolean {
  if (code === 'UNAVAILABLE') return !message.includes('may have been written');
  return ['CACHE_UNREACHABLE', 'OVERLOADED', 'UNAUTHENTICATED', 'FORBIDDEN'].includes(code);
}

const EDITS_EVERY_MS = 150;

/** Plays psql: edits rows, and holds the gateways to them once a barrier has returned. */
export async function editor(traffic: Traffic): Promise<void> {
  const { site, checker, tallies, random, over, serial } = traffic;
  while (!over()) {
    await pause(random() * 2 * EDITS_EVERY_MS);
    const domain = oneOf(domains, random);
    if (!domain.edit) continue;
    const key = oneOf(oneOf(domain.batches, random), random);
    const value = String(serial());
    const write = checker.beginWrite(checkedKey(domain, key), value, 'edit');
    const sql = site.postgres.psql;
    const version = await domain.edit(sql, key, value).catch((error: unknown) => endEdit(write, error));
    if (version === undefined) continue;
    const covered = await isCovered(sql);
    if (covered) tallies.covered++;
    else tallies.uncovered++;
    write.acknowledge(version, covered);
  }
}

/** An error of Postgres itself proves that nothing was committed; a lost connection proves nothing. */
export function endEdit(write: Write, error: unknown): undefined {
  if (error instanceof postgres.PostgresError || error instanceof NothingToEdit) write.refuse();
  else write.lose();
}

export function isCovered(sql: postgres.Sql): Promise<boolean> {
  return sql`SELECT cache_barrier('5 seconds')`.then(
    () => true,
    () => false,
  );
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export function oneOf<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('There is nothing to choose from.');
  return item;
}

function noAnswer(error: unknown): undefined {
  if (!(error instanceof NoAnswer)) throw error;
}
