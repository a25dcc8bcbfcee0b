// Runs seeded schedules of the freshness protocol: `npm run simulate -- --tier model --schedules 100000 --seed 1`.
// --mutant NAME switches one safety clause off; --gate does so with each in turn, and --record writes what finds them to
// docs/freshness.md. Both patch the sources while they are bundled, so that the code itself has no switches. --storm NAME
// lets one rare combination come over every schedule; with --answers readers of every schedule, not only of some, answer
// again what they have read, where it stands. Exits with 1 on a violation, or on a mutant that survives.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { bundle, mutants, realServers } from './simulate/bundle.mjs';
import { runGate } from './simulate/gate.mjs';
import { runSchedules } from './simulate/run.mjs';

const { values } = chosen({
  options: {
    tier: { type: 'string' },
    schedules: { type: 'string' },
    seconds: { type: 'string', default: 'Infinity' },
    seed: { type: 'string' },
    storm: { type: 'string' },
    mutant: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    answers: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    gate: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
});
const options = {
  schedules: values.schedules && number('schedules', 1),
  seconds: number('seconds', 0),
  seed: values.seed === undefined ? Math.floor(Math.random() * 1e9) : number('seed', 0),
  workers: number('workers', 1),
  answers: values.answers,
  trace: values.trace,
  storm: values.storm,
  mutant: values.mutant,
  record: values.record,
};

/** The gate gives the same seeds again. */
const FIRST_SEED = values.seed === undefined ? 1 : options.seed;

/** Of the gate: where schedules are looked for, or a test that is named. */
const known = values.gate ? ['model', 'real', 'test'] : ['model', 'real'];
if (values.tier && !known.includes(values.tier)) refuse(`--tier is ${known.join(' or ')}.`);
const all = await mutants();
const named = values.mutant?.split(',') ?? all.map(({ name }) => name);
for (const name of named) {
  if (!all.some((mutant) => mutant.name === name)) refuse(`There is no mutant ${name}; --list names them.`);
}
const tiersOfNamed = known.filter((tier) => all.some((mutant) => mutant.tier === tier && named.includes(mutant.name)));
const tiers = values.tier ? [values.tier] : tiersOfNamed;
if (values.gate && !tiers.some((tier) => tiersOfNamed.includes(tier)))
  refuse(`No mutant that is named is of the tier ${values.tier}.`);

if (values.list) {
  for (const { name, rule, clause } of all) console.log(`${name.padEnd(28)} rule ${rule.padEnd(3)} ${clause}`);
} else if (values.gate) await withServers(tiers.includes('real'), gate);
else await withServers(values.tier === 'real', simulate);

async function withServers(real, act) {
  const started = real ? await (await realServers())(options.workers) : undefined;
  try {
    process.exitCode = (await act({ ...options, servers: started?.servers })) ? 0 : 1;
  } finally {
    await started?.close();
  }
}

async function gate({ servers, ...options }) {
  const [real, others] = [tiers.filter((tier) => tier === 'real'), tiers.filter((tier) => tier !== 'real')];
  const found = [];
  if (others.length > 0) found.push(await runGate({ ...options, seed: FIRST_SEED }, others));
  if (real.length > 0) found.push(await runGate({ ...options, seed: FIRST_SEED, servers }, real));
  return !found.includes(false);
}

async function simulate(options) {
  const mutant = values.mutant && all.find(({ name }) => name === values.mutant);
  const program = await bundle(mutant?.edits ?? []);
  const wanted = { ...options, tier: values.tier ?? 'model', schedules: options.schedules ?? 10_000 };
  const { violation } = await runSchedules(program, wanted, { untilViolation: Boolean(mutant) });
  return !violation;
}

function chosen(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    return refuse(error.message);
  }
}

function number(option, least) {
  const value = Number(values[option]);
  return value >= least ? value : refuse(`--${option} is a number from ${least} on.`);
}

function refuse(sentence) {
  console.error(sentence);
  process.exit(2);
}
