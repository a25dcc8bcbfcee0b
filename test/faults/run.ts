// One run on one topology: servers, traffic, faults, quiet, and what came of it.
import { seeded } from '../support/freshness.js';
import { Checker } from './checker.js';
import { checkedKey } from './domain.js';
import { domains } from './domains.js';
import { Epochs } from './epochs.js';
import type { Topology } from './redis-side.js';
import { repetitions } from './repetition.js';
import { faultsFor, Saboteur, type Struck } from './saboteur.js';
import { settlementFaults } from './settlement.js';
import { openSite, type Site } from './site.js';
import { tokenClients } from './tokens.js';
import { count, editor, isCovered, pause, readers, Tallies, type Traffic, writers } from './traffic.js';
import type { Violation } from './violation.js';

export interface RunOptions {
  readonly topology: Topology;
  readonly gateways: number;
  /** Of each gateway. */
  readonly workers: number;
  readonly forMs: number;
  readonly seed: number;
  readonly only: readonly string[];
  readonly root: string;
  readonly tell: (line: object) => void;
  /** Aborted, the run ends at once, in good order. */
  readonly interrupted: AbortSignal;
}

export interface Outcome {
  readonly topology: Topology;
  readonly seconds: number;
  readonly checker: Checker;
  readonly tallies: Tallies;
  readonly saboteur: Saboteur;
  readonly violations: readonly ReportedViolation[];
  readonly violationCount: number;
  /** What did not hold in the end, and what broke down on the way. */
  readonly failures: readonly string[];
  /** Where the gateways' logs are. */
  readonly folder: string;
}

export interface ReportedViolation extends Violation {
  readonly second: number;
  /** What was going wrong just before. */
  readonly faults: readonly string[];
}

/** More would be no news. */
const KEPT_VIOLATIONS = 200;
const TOLD_EVERY_MS = 10_000;
/** Faults this long before a violation are told with it. */
const CONTEXT_MS = 15_000;

export async function run(options: RunOptions): Promise<Outcome> {
  const { topology, gateways, workers, root, interrupted } = options;
  const failures: string[] = [];
  const onDeath = (gateway: string, how: string) => failures.push(`${gateway} ended by itself: ${how}`);
  const site = await openSite({ topology, gateways, workers, root, onDeath });
  const epochs = new Epochs(() => site.postgres.psql);
  const onAbort = () => {
    epochs.end();
    void site.close();
  };
  try {
    interrupted.throwIfAborted();
    interrupted.addEventListener('abort', onAbort, { once: true });
    void epochs.watch();
    return await runOn(site, epochs, options, failures);
  } finally {
    epochs.end();
    interrupted.removeEventListener('abort', onAbort);
    await site.close();
  }
}

async function runOn(site: Site, epochs: Epochs, options: RunOptions, failures: string[]): Promise<Outcome> {
  const { topology, forMs, seed, only, tell, interrupted } = options;
  const startedMs = performance.now();
  const secondOf = (ms: number) => Math.round((ms - startedMs) / 10) / 100;
  const over = () => interrupted.aborted || performance.now() - startedMs > forMs;
  const violations: ReportedViolation[] = [];
  let violationCount = 0;
  let written = 0;
  const serial = () => ++written;
  const report = (violation: Violation) => {
    violationCount++;
    if (violations.length >= KEPT_VIOLATIONS) return;
    const reported = inContext(violation, saboteur.struck, secondOf);
    violations.push(reported);
    tell({ violation: reported });
  };
  const judging: Promise<void>[] = [];
  const judge = async (violation: Violation) => {
    const { beganMs: fromMs, endedMs: untilMs } = violation;
    if (await epochs.explains({ fromMs, untilMs })) count(checker.excused, 'epoch replaced');
    else report(violation);
  };
  const checker = new Checker({
    nowMs: () => performance.now(),
    excuse: (fromMs, untilMs) => saboteur.excuse(fromMs, untilMs),
    onViolation: (violation) => {
      if (violation.kind === 'inversion') judging.push(judge(violation));
      else report(violation);
    },
  });
  const random = seeded(seed);
  const saboteur = new Saboteur({
    scene: { site, checker, random, over, serial },
    faults: faultsFor(topology, only),
    report: ({ kind, startedMs: at, endedMs, detail }) => {
      tell({ second: secondOf(at), fault: kind, ms: Math.round(endedMs - at), ...(detail && { detail }) });
    },
    onFailure: (kind, error) => failures.push(`${kind}: ${error instanceof Error ? error.message : error}`),
  });
  await seedKeys(site, checker);
  const tallies = new Tallies();
  const traffic: Traffic = { site, checker, tallies, random: seeded(seed + 1), over, serial };
  const told = setInterval(() => tell(progress(traffic, saboteur, violationCount, secondOf)), TOLD_EVERY_MS);
  try {
    await Promise.all([
      ...readers(traffic),
      ...writers(traffic),
      editor(traffic),
      editor(traffic),
      ...tokenClients(traffic),
      ...repetitions(traffic),
      saboteur.run(),
    ]);
  } finally {
    clearInterval(told);
  }
  interrupted.throwIfAborted();
  const masked = (tallies.readErrors.get('INTERNAL') ?? 0) + (tallies.writeErrors.get('INTERNAL') ?? 0);
  if (masked > 0) failures.push(`${masked} answers were INTERNAL, which is a defect whatever goes wrong; see the logs`);
  failures.push(...(await settlementFaults(site, checker, tallies.changes)));
  await Promise.all(judging);
  const seconds = secondOf(performance.now());
  const { folder } = site;
  return { topology, seconds, checker, tallies, saboteur, violations, violationCount, failures, folder };
}

/** Gives every key its first value, and waits until all gateways would show it. */
async function seedKeys({ postgres }: Site, checker: Checker): Promise<void> {
  const sql = postgres.psql;
  for (const domain of domains) await domain.seed(sql);
  while (!(await isCovered(sql))) await pause(100);
  const rows = await sql<{ view: string; key: string; version: string }[]>`SELECT view, key, version FROM entry`;
  const versions = new Map(rows.map(({ view, key, version }) => [`${view}:${key}`, Number(version)]));
  for (const domain of domains) {
    for (const key of domain.batches.flat()) {
      const { view, key: entry } = domain.entry(key);
      checker.open(checkedKey(domain, key), domain.first, versions.get(`${view}:${entry}`) ?? 0, domain.repeats);
    }
  }
}

function inContext(
  violation: Violation,
  struck: readonly Struck[],
  secondOf: (ms: number) => number,
): ReportedViolation {
  const near = struck.filter(({ startedMs, endedMs }) => {
    return startedMs <= violation.endedMs && endedMs >= violation.beganMs - CONTEXT_MS;
  });
  const faults = near.map(({ kind, startedMs, endedMs, detail }) => {
    const until = Number.isFinite(endedMs) ? secondOf(endedMs) : 'now';
    return `${kind} ${secondOf(startedMs)}–${until}${detail && ` (${detail})`}`;
  });
  const { beganMs, endedMs, againstMs } = violation;
  return {
    ...violation,
    second: secondOf(endedMs),
    beganMs: secondOf(beganMs) * 1_000,
    endedMs: secondOf(endedMs) * 1_000,
    againstMs: againstMs && secondOf(againstMs) * 1_000,
    faults,
  };
}

function progress(
  { checker, tallies }: Traffic,
  { count: faults }: Saboteur,
  violations: number,
  secondOf: (ms: number) => number,
): object {
  return {
    second: secondOf(performance.now()),
    reads: checker.reads,
    writes: checker.writes,
    answersGiven: tallies.answersGiven,
    faults,
    violations,
    readErrors: Object.fromEntries(tallies.readErrors),
  };
}
