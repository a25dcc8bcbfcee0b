// The outcome of a run as JSON for machines and as a table for people.
import type { Outcome } from './run.js';

export function summaryOf(outcome: Outcome) {
  const { topology, seconds, checker, tallies, saboteur, violations, violationCount, failures, folder } = outcome;
  const traced = sum(tallies.outcomes);
  const struck = new Map<string, number>();
  for (const { kind, happened } of saboteur.struck) if (happened) struck.set(kind, (struck.get(kind) ?? 0) + 1);
  const violationKinds = new Map<string, number>();
  for (const { kind } of violations) violationKinds.set(kind, (violationKinds.get(kind) ?? 0) + 1);
  return {
    topology,
    seconds: Math.round(seconds),
    reads: checker.reads,
    readsPerSecond: Math.round(checker.reads / seconds),
    staleAnswers: checker.staleAnswers,
    writes: { ...checker.writes, edits: { covered: tallies.covered, uncovered: tallies.uncovered } },
    visibleWritesPerSecond: Math.round(checker.writes.visible / seconds),
    hitRatio: Math.round((1_000 * (tallies.outcomes.get('HIT') ?? 0)) / Math.max(traced, 1)) / 1_000,
    outcomes: Object.fromEntries(tallies.outcomes),
    answers: { given: tallies.answersGiven, outdated: tallies.answersOutdated },
    readErrors: Object.fromEntries(tallies.readErrors),
    writeErrors: Object.fromEntries(tallies.writeErrors),
    excusedInversions: Object.fromEntries(checker.excused),
    faults: saboteur.count,
    faultKinds: Object.fromEntries([...struck].sort()),
    recoveryMs: Object.fromEntries(
      [...saboteur.recoveries].sort().map(([kind, { count, totalMs, mostMs, unrecovered }]) => {
        const meanMs = count > 0 ? Math.round(totalMs / count) : null;
        return [kind, { count, mean: meanMs, most: Math.round(mostMs), ...(unrecovered > 0 && { unrecovered }) }];
      }),
    ),
    violationCount,
    violationKinds: Object.fromEntries(violationKinds),
    violations: violations.slice(0, 20),
    failures,
    logs: folder,
  };
}

export type Summary = ReturnType<typeof summaryOf>;

/** The same to read. */
export function tableOf(summary: Summary): string {
  const { writes, violationCount, failures, recoveryMs, faultKinds } = summary;
  const lines = [
    `${summary.topology}, ${summary.seconds} s`,
    row('reads checked', `${grouped(summary.reads)} (${grouped(summary.readsPerSecond)}/s)`),
    row('hits', `${(100 * summary.hitRatio).toFixed(1)} % of traced reads`),
    row(
      'ready answers',
      `${grouped(summary.answers.given)} given again, ${grouped(summary.answers.outdated)} found outdated`,
    ),
    row('marked stale', grouped(summary.staleAnswers)),
    row('writes visible', `${grouped(writes.visible)} (${summary.visibleWritesPerSecond}/s)`),
    row(
      'writes not visible',
      `${grouped(writes.invisible)}, refused ${grouped(writes.refused)}, lost ${grouped(writes.lost)}`,
    ),
    row('psql edits', `${grouped(writes.edits.covered)} covered, ${grouped(writes.edits.uncovered)} not in time`),
    row('read errors', listed(summary.readErrors)),
    row('write errors', listed(summary.writeErrors)),
    row('excused inversions', listed(summary.excusedInversions)),
    '',
    `  ${'fault'.padEnd(28)} ${'count'.padStart(5)}  recovery: mean ms, most ms`,
    ...Object.entries(faultKinds).map(([kind, count]) => {
      const { mean = null, most = 0, unrecovered = 0 } = recoveryMs[kind] ?? {};
      const recovered = mean === null ? '–' : `${String(mean).padStart(6)} ${String(most).padStart(6)}`;
      return `  ${kind.padEnd(28)} ${String(count).padStart(5)}  ${recovered}${unrecovered ? `, ${unrecovered} not in time` : ''}`;
    }),
    '',
    row('violations', violationCount === 0 ? 'none' : `${violationCount}: ${listed(summary.violationKinds)}`),
    row('failures', failures.length === 0 ? 'none' : ''),
    ...failures.slice(0, 20).map((failure) => `    ${failure}`),
    row('gateway logs', summary.logs),
  ];
  return lines.join('\n');
}

const row = (name: string, value: string) => `  ${name.padEnd(20)} ${value}`;
const grouped = (value: number) => value.toLocaleString('en');
const listed = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${grouped(count)}`)
    .join(', ') || 'none';
const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((total, count) => total + count, 0);
