// Every safety clause of the protocol that can be switched off alone; the gate shows that the simulator misses none.
import { answers } from './answers.js';
import { durability } from './durability.js';
import { entries } from './entries.js';
import { leases } from './leases.js';
import type { Mutant } from './mutant.js';
import { reading } from './reading.js';
import { scripts } from './scripts.js';
import { statements } from './statements.js';
import { writing } from './writing.js';

export const mutants: readonly Mutant[] = [
  ...entries,
  ...reading,
  ...writing,
  ...leases,
  ...answers,
  ...durability,
  ...scripts,
  ...statements,
];
