// Switches each safety clause off in turn, and fails where nothing notices: schedules must find a violation of a kind that
// the mutant expects, in a schedule that the untouched engine gets through; or the test that the mutant names must fail.
import { bundle, mutants } from './bundle.mjs';
import { namedTests } from './named.mjs';
import { runSchedules } from './run.mjs';
import { readTable, writeTable } from './table.mjs';

const MODEL_SCHEDULES = 20_000;

/** Prints a line for each mutant of these tiers; resolves to whether all were found. */
export async function runGate(options, tiers) {
  const all = await mutants();
  const only = options.mutant?.split(',');
  const chosen = all.filter(({ name, tier }) => tiers.includes(tier) && (!only || only.includes(name)));
  const table = readTable();
  const survivors = [];
  const schedules = options.schedules ?? MODEL_SCHEDULES;
  const tests = namedTests();
  const pristine = chosen.some(({ tier }) => tier !== 'test') ? await bundle([]) : undefined;
  try {
    for (const mutant of chosen) {
      const startedMs = performance.now();
      const recorded = table.get(mutant.name);
      const outcome =
        mutant.tier === 'test'
          ? await tests.finds(mutant)
          : await findSchedule(mutant, pristine, { ...options, schedules }, recorded);
      if (!outcome.found) survivors.push(mutant.name);
      else if (options.record) writeTable(all, new Map([...readTable(), [mutant.name, outcome.how]]));
      const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
      const told = [`rule ${mutant.rule}`.padEnd(8), mutant.name.padEnd(26), outcome.how.padEnd(46), `${seconds} s`];
      console.log(`${told.join(' ')}  ${mutant.clause}`);
    }
  } finally {
    tests.close();
  }
  const not = survivors.length > 0 ? `; not: ${survivors.join(', ')}` : '';
  console.log(`${chosen.length - survivors.length} of ${chosen.length} mutants found${not}`);
  return survivors.length === 0;
}

/** Tries the seed on record first. */
async function findSchedule({ edits, expected, storm, answers = false, tier }, pristine, options, recorded) {
  const program = await bundle(edits);
  const seed = Number(/seed (\d+)/.exec(recorded ?? '')?.[1] ?? Number.NaN);
  const first = Number.isNaN(seed) ? [] : [{ seed, schedules: 1 }];
  const quiet = { untilViolation: true, silent: true };
  let spoiled = '';
  for (const range of [...first, options]) {
    let { seed: from, schedules: left } = range;
    while (left > 0) {
      const where = { ...options, storm, answers, seed: from, schedules: left };
      const { violation } = await runSchedules(program, where, quiet);
      if (!violation) break;
      const [{ kind }] = violation.violations;
      const drawn = [kind, ...(storm ? [`storm ${storm}`] : []), ...(answers ? ['answers'] : [])];
      const how = `${tier}: ${drawn.join(', ')}, seed ${violation.seed}`;
      const alone = { ...where, seed: violation.seed, schedules: 1 };
      const counts = expected.includes(kind) && !(await runSchedules(pristine, alone, quiet)).violation;
      if (counts) return { found: true, how };
      spoiled = ` (${how} counts for nothing)`;
      left -= violation.seed - from + 1;
      from = violation.seed + 1;
    }
  }
  return { found: false, how: `SURVIVES${spoiled}` };
}
