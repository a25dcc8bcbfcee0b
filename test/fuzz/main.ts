// The long run: all claims against as many inputs as one likes, in rounds, so that each is held from the beginning to the
// end; and what the process, gateway included, keeps in memory afterwards.
//   npm run fuzz -- [--inputs 1000000] [--seed 1] [--only WORD]
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openEmbedded } from '../../src/embedded/index.js';
import type { Claim } from './claim.js';
import { cursorClaims } from './cursors.js';
import { documentClaims } from './document-claims.js';
import { edgeClaims, TOGETHER } from './edge-claims.js';
import { heapMb } from './heap.js';
import { importClaims } from './imports.js';
import { replyClaims } from './replies.js';
import { openSite } from './site.js';
import { statementClaims } from './statements.js';
import { tokenClaims } from './tokens.js';

/** Of all inputs, these go over HTTP. */
const HTTP_SHARE = 0.105;
/** After the first five of these rounds caches are full; from then on nothing may grow beyond the band. */
const ROUNDS = 20;
/** After so many inputs, caches are full, and the heap grows no more. */
const FILLING = 250_000;
const BAND_MB = 24;

interface Course {
  readonly claim: Claim;
  /** Of one round. */
  readonly runs: number;
  /** One run is so many inputs. */
  readonly inputs: number;
  /** Held by so many at once: over HTTP most of the time is waiting. */
  readonly together: number;
}

/** Runs it; resolves to the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      inputs: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      only: { type: 'string', default: '' },
    },
  });
  const [asked, seed] = [Number(values.inputs), Number(values.seed)];
  if (!Number.isSafeInteger(asked) || asked < 1 || !Number.isSafeInteger(seed)) {
    console.error('--inputs is a whole number above 0, and --seed a whole number.');
    return 2;
  }
  const stray: unknown[] = [];
  process.on('uncaughtException', (error) => stray.push(error)).on('unhandledRejection', (error) => stray.push(error));
  const folder = await mkdtemp(join(tmpdir(), 'espelho-fuzz-'));
  await chmod(folder, 0o755); // servers that are given to another user must pass through
  const servers = await openEmbedded(join(folder, 'home'), { redis: true });
  try {
    if (servers.redis.kind === 'absent') throw new Error(`There is no Redis to run on: ${servers.redis.reason}.`);
    const site = await openSite({ databaseUrl: servers.databaseUrl, redisUrl: servers.redis.url });
    const inside = [cursorClaims, tokenClaims, replyClaims, documentClaims, statementClaims, importClaims].flat();
    const courses = [
      ...coursesOf(inside, asked * (1 - HTTP_SHARE), () => 1, 1),
      ...coursesOf(edgeClaims(site), asked * HTTP_SHARE, inputsOf, 4),
    ].filter(({ claim }) => claim.title.includes(values.only));
    await run(courses, seed);
    const inputs = asked * HTTP_SHARE;
    console.log(`${site.timesBusy()} of them were answered with 503, try again`);
    assert(site.timesBusy() < Math.max(10, inputs / 100), 'it is seldom too busy');
    await site.close();
    assert.deepEqual(stray, [], 'nothing failed beside the claims');
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error, error instanceof Error ? error.cause : '');
    return 1;
  } finally {
    await servers.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    if (!servers.where.data.startsWith(folder)) await rm(servers.where.data, { recursive: true, force: true });
  }
}

function coursesOf(
  claims: readonly Claim[],
  inputs: number,
  inputsOf: (claim: Claim) => number,
  together: number,
): readonly Course[] {
  const parts = claims.reduce((sum, claim) => sum + claim.parts, 0);
  return claims.map((claim) => ({
    claim,
    inputs: inputsOf(claim),
    together,
    runs: Math.ceil((inputs * claim.parts) / parts / inputsOf(claim) / ROUNDS / together) * together,
  }));
}

const inputsOf = ({ title }: Claim): number =>
  title.includes('bytes') ? TOGETHER : title.includes('parameters') ? 2 : title.includes('client of flags') ? 3 : 1;

async function run(courses: readonly Course[], seed: number): Promise<void> {
  const startedMs = performance.now();
  const spentMs = new Map<Claim, number>();
  let done = 0;
  let filled: { readonly mb: number; readonly inputs: number } | undefined;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const hold = async ({ claim, runs, inputs, together }: Course) => {
      const beganMs = performance.now();
      const shards = Array.from({ length: together }, (_, shard) =>
        claim.hold({ numRuns: runs / together, seed: (seed + round * 7_919 + shard * 104_729) | 0 }),
      );
      await Promise.all(shards);
      spentMs.set(claim, (spentMs.get(claim) ?? 0) + performance.now() - beganMs);
      done += runs * inputs;
    };
    for (const course of courses.filter(({ together }) => together === 1)) await hold(course);
    await Promise.all(courses.filter(({ together }) => together > 1).map(hold));
    const mb = await heapMb();
    if (done >= FILLING && round < ROUNDS) filled ??= { mb, inputs: done };
    const seconds = (performance.now() - startedMs) / 1_000;
    console.log(
      `round ${round} of ${ROUNDS}: ${done} inputs, ${Math.round(done / seconds)} a second, heap ${mb.toFixed(1)} MB`,
    );
  }
  const endMb = await heapMb();
  for (const { claim, runs, inputs } of courses) {
    const seconds = (spentMs.get(claim) ?? 0) / 1_000;
    console.log(`  ${runs * inputs * ROUNDS} inputs in ${seconds.toFixed(1)} s: ${claim.title}`);
  }
  console.log(
    `seed ${seed}: ${done} inputs in ${((performance.now() - startedMs) / 1_000).toFixed(0)} s, no contradiction; ` +
      (filled
        ? `heap ${filled.mb.toFixed(1)} MB after ${filled.inputs} inputs, ${endMb.toFixed(1)} MB at the end (at most ${BAND_MB} MB more)`
        : `heap ${endMb.toFixed(1)} MB, which says nothing yet: caches are full after ${FILLING} inputs`),
  );
  assert(!filled || endMb < filled.mb + BAND_MB, `the heap has grown from ${filled?.mb} MB to ${endMb} MB`);
}
