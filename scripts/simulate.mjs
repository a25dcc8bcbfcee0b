// Runs seeded schedules of the freshness protocol: `npm run simulate -- --tier model --schedules 100000 --seed 1`.
// --mutant NAME switches one safety clause off, --gate does so with each in turn (--all: the rare ones too); both by patching the sources while they are
// bundled, so that the code itself has no switches. Exits with 1 on a violation, or on a mutant that survives.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { bundle, mutants, realServers } from './simulate/bundle.mjs';
import { runGate } from './simulate/gate.mjs';
import { runSchedules } from './simulate/run.mjs';

const { values } = parseArgs({
  options: {
    tier: { type: 'string', default: 'model' },
    schedules: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    mutant: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    trace: { type: 'boolean', default: false },
    gate: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
  },
});
const options = {
  tier: values.tier,
  schedules: Number(values.schedules),
  seconds: Number(values.seconds),
  seed: Number(values.seed),
  workers: Number(values.workers),
  trace: values.trace,
  mutant: values.mutant,
  all: values.all,
};

if (values.list) {
  for (const { name, rule, clause } of await mutants())
    console.log(`${name.padEnd(28)} rule ${String(rule).padEnd(3)} ${clause}`);
} else if (options.tier === 'real') {
  const { servers, close } = await (await realServers())(options.workers);
  try {
    await simulate({ ...options, servers });
  } finally {
    await close();
  }
} else await simulate(options);

async function simulate(options) {
  if (values.gate) {
    process.exitCode = (await runGate(options)) ? 0 : 1;
    return;
  }
  const mutant = values.mutant && (await mutants()).find(({ name }) => name === values.mutant);
  if (values.mutant && !mutant) throw new Error(`There is no mutant ${values.mutant}; --list names them.`);
  const program = await bundle(mutant?.edits ?? []);
  const { violation } = await runSchedules(program, options, { untilViolation: Boolean(mutant) });
  process.exitCode = violation ? 1 : 0;
}
