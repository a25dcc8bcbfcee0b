// What a gateway still does when it is asked more than it can: goodput at three times saturation against its peak, how soon
// health is told, and whether mutations and revocations get through. The load comes from a process of its own, at a rate, over
// a thousand connections that stand as those of a load balancer do: what is due while each of them waits is not sent.
//   npm run bench:overload -- [--seconds=10] [--times=3]
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { divideCores } from '../compare/cores.js';
import { openStores } from '../freshness/stores.js';
import { startGatewayProcess } from './gateway-process.js';
import { startSender, type Tally } from './sender-process.js';
import { type Watched, watch } from './watch.js';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '10' }, times: { type: 'string', default: '3' } },
});
const ms = Number(values.seconds) * 1_000;
if (!(ms > 0) || !(Number(values.times) > 0)) {
  console.error('--seconds and --times are numbers above 0.');
  process.exit(2);
}
const times = Number(values.times);
/** Clients that wait for each answer: as many as no gateway should refuse. */
const ASKERS = 64;

interface Step {
  readonly name: string;
  readonly tally: Tally;
  readonly watched: Watched;
}

console.log(`${cpus().length} cores; load average ${loadavg()[0]?.toFixed(2)} before anything of ours runs`);
const { forServer, told } = divideCores();
console.log(told);
const stores = await openStores();
let failed = true;
try {
  const setting = { databaseUrl: stores.espelhoUrl, redisUrl: stores.redisUrl, tokens: 300 };
  const gateway = await startGatewayProcess(setting, forServer(1));
  const sender = await startSender();
  const doomed = [...gateway.doomed];
  const base = { port: Number(new URL(gateway.url).port), token: gateway.editor };
  const closed = (askers: number, forMs: number) => sender.run({ ...base, ms: forMs, perSecond: 0, askers });
  const step = async (name: string, perSecond: number): Promise<Step> => {
    const [tally, watched] = await Promise.all([
      sender.run({ ...base, ms, perSecond, askers: 0 }),
      watch(gateway, doomed, ms),
    ]);
    tell({ name, tally, watched });
    return { name, tally, watched };
  };
  await closed(ASKERS, Math.max(4_000, ms / 2)); // compiles, fills the cache
  const loops = [await closed(ASKERS, ms / 2), await closed(ASKERS, ms / 2)];
  const saturation = Math.max(...loops.map(goodput));
  const refused = loops.reduce((sum, loop) => sum + loop.refused, 0);
  console.log(
    `saturation: ${saturation.toFixed(0)} answers a second, by ${ASKERS} who wait for each, ${refused} refused`,
  );
  const calm = await step('half', saturation * 0.5);
  const full = await step('saturation', saturation);
  const over = await step(`${times} times`, saturation * times);
  const after = await step('half again', saturation * 0.5);
  failed = !judge(saturation, refused, [calm, full], over, after);
  sender.close();
  await gateway.close();
} finally {
  await stores.close();
}
process.exit(failed ? 1 : 0);

function tell({ name, tally, watched }: Step): void {
  const { sent, good, late, refused, failed, unsent, behindMs, latenciesMs } = tally;
  const { livezMs, newcomersMs, mutations, revocations } = watched;
  const rate = (count: number) => ((count / tally.ms) * 1_000).toFixed(0);
  console.log(
    `${name}: offered ${rate(sent + unsent)}/s, good ${rate(good)}/s (p50 ${shown(latenciesMs, 0.5)} ms, p99 ${shown(latenciesMs, 0.99)} ms), ` +
      `refused ${rate(refused)}/s, late ${late}, failed ${failed}, not sent ${unsent}, sender behind by ${behindMs.toFixed(0)} ms at most\n` +
      `    /livez p50 ${shown(livezMs, 0.5)} ms, p99 ${shown(livezMs, 0.99)} ms, longest ${shown(livezMs, 1)} ms, on a new connection p99 ${shown(newcomersMs, 0.99)} ms; ` +
      `mutations ${mutations.done} of ${mutations.of} (p99 ${shown(mutations.latenciesMs, 0.99)} ms); ` +
      `revocations ${revocations.done} of ${revocations.of} (p99 ${shown(revocations.latenciesMs, 0.99)} ms)`,
  );
  for (const failure of [tally.firstFailure, mutations.firstFailure, revocations.firstFailure]) {
    if (failure) console.log(`    first of those that failed: ${failure.replace(/\s+/g, ' ')}`);
  }
}

function goodput({ good, ms: tookMs }: Tally): number {
  return (good / tookMs) * 1_000;
}

function judge(
  saturation: number,
  refused: number,
  before: readonly Step[],
  { tally, watched }: Step,
  after: Step,
): boolean {
  const peak = Math.max(saturation, ...before.map((step) => goodput(step.tally)));
  const share = goodput(tally) / peak;
  const { mutations, revocations, revokedButTaken, livezMs, newcomersMs } = watched;
  const verdicts: [string, boolean][] = [
    [`of ${ASKERS} who wait for each answer ${refused} refused`, refused === 0],
    [`goodput ${(share * 100).toFixed(0)} % of the peak, ${peak.toFixed(0)}/s (at least 80 %)`, share >= 0.8],
    [`/livez p99 ${shown(livezMs, 0.99)} ms (at most 100 ms)`, percentile(livezMs, 0.99) <= 100],
    [
      `/livez on a new connection p99 ${shown(newcomersMs, 0.99)} ms (at most 100 ms)`,
      percentile(newcomersMs, 0.99) <= 100,
    ],
    [`the rest refused with 503 or 429: ${tally.failed} failed`, tally.failed === 0],
    [`mutations ${mutations.done} of ${mutations.of}`, mutations.of > 0 && mutations.done >= mutations.of * 0.95],
    [
      `revocations ${revocations.done} of ${revocations.of}, ${revokedButTaken} tokens taken afterwards`,
      revocations.of > 0 && revocations.done >= revocations.of * 0.95 && revokedButTaken === 0,
    ],
    [
      `afterwards all of ${after.tally.sent} answered but ${after.tally.sent - after.tally.good}`,
      after.tally.good >= after.tally.sent * 0.99,
    ],
  ];
  if (tally.behindMs > 100) {
    console.log(
      `The sender was ${tally.behindMs.toFixed(0)} ms behind: too little was left to it for a fair measurement.`,
    );
  }
  for (const [sentence, holds] of verdicts) console.log(`${holds ? 'holds' : 'FAILS'}: ${sentence}`);
  console.log(`load average ${loadavg()[0]?.toFixed(2)} at the end`);
  return verdicts.every(([, holds]) => holds);
}

function percentile(all: readonly number[], share: number): number {
  const sorted = Float64Array.from(all).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function shown(all: readonly number[], share: number): string {
  const value = percentile(all, share);
  return value.toFixed(value >= 10 ? 0 : 1);
}
