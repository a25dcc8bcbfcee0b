// Runs schedules in worker threads, tells how it goes, and shows the interleaving of the first violation.
import { Worker } from 'node:worker_threads';

/** Resolves to the totals and the first violation, once all workers are done. */
export async function runSchedules(program, options, { untilViolation = false, silent = false } = {}) {
  const { seed, schedules, seconds, trace, storm, answers = false, servers } = options;
  const workers = Math.max(1, Math.min(options.workers, schedules));
  const startedMs = performance.now();
  const totals = new Map();
  let violation;
  let stopped = false;
  let told = 0;
  const running = Array.from({ length: workers }, (_, worker) => {
    const order = {
      seed,
      schedules,
      seconds,
      worker,
      workers,
      untilViolation,
      trace,
      storm,
      answers,
      real: servers?.[worker],
    };
    return start(program, order, (word, stop) => {
      if (word.totals) totals.set(worker, word.totals);
      if (word.kind === 'trace') for (const line of word.lines) console.log(line);
      if (word.kind === 'violation') {
        if (!violation || word.at < violation.at) violation = word;
        if (untilViolation) stop();
      }
      if (word.kind === 'progress' && !silent && performance.now() - told > 2_000) {
        told = performance.now();
        progress(sum(totals), startedMs, schedules);
      }
    });
  });
  const ends = await Promise.allSettled(running.map(({ ended }) => ended));
  const [broken] = ends.filter(({ status }) => status === 'rejected');
  if (broken) throw broken.reason;
  const all = sum(totals);
  const ms = Math.round(performance.now() - startedMs);
  if (!silent) summary(all, ms, options);
  if (violation && !trace && !silent) await explain(program, violation, options);
  if (!silent) console.log(verdict(all, ms, options));
  return { totals: all, violation, ms };

  function start(file, order, hear) {
    const worker = new Worker(file, { workerData: order });
    const ended = new Promise((resolve, reject) => {
      let done = false;
      worker.on('message', (word) => {
        done ||= word.kind === 'done';
        hear(word, stopAll);
      });
      worker.once('error', reject);
      worker.once('exit', () => (done || stopped ? resolve() : reject(new Error('A schedule came to a standstill.'))));
    });
    return { worker, ended };
  }

  function stopAll() {
    stopped = true;
    for (const { worker } of running) void worker.terminate();
  }
}

/** Runs the schedule again, with its interleaving. */
async function explain(program, { seed, violations }, { tier, storm, answers = false, servers }) {
  const stormy = storm ? ` --storm ${storm}` : '';
  const repeated = answers ? ' --answers' : '';
  console.log(`\nseed ${seed}: --tier ${tier} --seed ${seed}${stormy}${repeated} --schedules 1 --trace`);
  const alone = { schedules: 1, seconds: Infinity, worker: 0, workers: 1 };
  const order = { seed, ...alone, untilViolation: true, trace: true, storm, answers, real: servers?.[0] };
  await new Promise((resolve, reject) => {
    const worker = new Worker(program, { workerData: order });
    worker.on('message', (word) => {
      if (word.kind === 'trace') for (const line of word.lines) console.log(line);
    });
    worker.once('error', reject);
    worker.once('exit', resolve);
  });
  for (const { kind, key, detail } of violations) console.log(`VIOLATION ${kind} ${key}: ${detail}`);
}

function sum(totals) {
  const all = {};
  for (const each of totals.values()) {
    for (const [name, count] of Object.entries(each)) {
      if (typeof count === 'number') all[name] = (all[name] ?? 0) + count;
      else
        all[name] = sum(
          new Map([
            [0, all[name] ?? {}],
            [1, count],
          ]),
        );
    }
  }
  return all;
}

function progress({ schedules, violations, reads }, startedMs, of) {
  const perSecond = Math.round(schedules / ((performance.now() - startedMs) / 1_000));
  if (process.stdout.isTTY) {
    process.stdout.write(`\r${schedules}/${of} schedules, ${perSecond}/s, ${reads} reads, ${violations} violations `);
  } else console.log(JSON.stringify({ schedules, of, perSecond, reads, violations }));
}

/** The last line. */
function verdict({ schedules = 0, reads = 0, acknowledgements = 0, violations = 0 }, ms, { tier, seed }) {
  const counts = `${schedules} schedules, ${reads} reads, ${acknowledgements} acknowledgements, ${violations} violations`;
  return `${violations > 0 ? 'FAILED' : 'passed'}: ${tier} tier from seed ${seed}: ${counts} in ${Math.round(ms / 1_000)} s`;
}

function summary({ faults, ...counts }, ms, { tier, seed }) {
  if (process.stdout.isTTY) process.stdout.write('\n');
  const perSecond = Math.round(counts.schedules / (ms / 1_000));
  console.log(JSON.stringify({ tier, seed, ...counts, ms, perSecond }));
  console.log(JSON.stringify({ faults }));
}
