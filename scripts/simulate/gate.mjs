// Switches each safety clause off in turn: schedules must find a violation, of a kind that the mutant expects, or the clause
// is not tested, or not needed.
import { bundle, mutants } from './bundle.mjs';
import { runSchedules } from './run.mjs';

/** Prints a line for each mutant; resolves to whether all were found. */
export async function runGate(options) {
  const only = options.mutant?.split(',');
  const wanted = ({ name, rare }) => (only ? only.includes(name) : options.all || !rare);
  const chosen = (await mutants()).filter((mutant) => mutant.tier === options.tier && wanted(mutant));
  const survivors = [];
  for (const mutant of chosen) {
    const program = await bundle(mutant.edits);
    const { violation, totals, ms } = await runSchedules(program, options, { untilViolation: true, silent: true });
    const [first] = violation?.violations ?? [];
    const found = first !== undefined && mutant.expected.includes(first.kind);
    if (!found) survivors.push(mutant.name);
    const outcome = first ? `${first.kind} at seed ${violation.seed}` : `SURVIVES`;
    const told = [
      `rule ${mutant.rule}`.padEnd(8),
      mutant.name.padEnd(26),
      outcome.padEnd(32),
      `${totals.schedules ?? 0} schedules, ${ms} ms`.padEnd(26),
      mutant.clause,
    ];
    console.log(told.join(' '));
  }
  console.log(
    `${chosen.length - survivors.length} of ${chosen.length} mutants found${survivors.length > 0 ? `; not: ${survivors.join(', ')}` : ''}`,
  );
  return survivors.length === 0;
}
