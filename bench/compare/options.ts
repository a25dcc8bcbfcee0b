// What was asked for on the command line; a wrong word is told with those that are right.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { entrants } from './contestants.js';
import { WORKLOADS, type WorkloadName } from './workloads.js';

export interface Options {
  readonly seconds: number;
  readonly repeats: number;
  readonly peers: readonly string[];
  /** Whether peers were named: then each of them takes part in everything that it can. */
  readonly named: boolean;
  readonly workloads: readonly WorkloadName[];
  readonly scopes: number;
  readonly growth: boolean;
  /** Up to how many entries. */
  readonly growthTo: number;
  readonly json: string | undefined;
  readonly svg: string | undefined;
  /** Whether docs/performance.md is to have the figures. */
  readonly publish: boolean;
  /** Of the repository. */
  readonly root: string;
  /** Of the peers' programs. */
  readonly folder: string;
}

/** Exits with 2 when something cannot be meant. */
export function chosen(args: readonly string[]): Options {
  const { values } = parse(args);
  const names = entrants.map(({ name }) => name);
  const root = resolve(values.root);
  return {
    seconds: number('--seconds', values.seconds, 0.1, 600),
    repeats: number('--repeats', values.repeats, 1, 100),
    peers: values.peers ? list('--peers', values.peers, names) : names,
    named: values.peers !== undefined,
    workloads: values.workloads ? list('--workloads', values.workloads, WORKLOADS) : WORKLOADS,
    scopes: number('--scopes', values.scopes, 100, 1_000_000),
    growth: values.growth,
    growthTo: number('--growth-to', values['growth-to'], 1_000, 10_000_000),
    json: values.json && resolve(root, values.json),
    svg: values.svg && resolve(root, values.svg),
    publish: values.publish,
    root,
    folder: `${root}/bench/peers/`,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seconds: { type: 'string', default: '1.5' },
        repeats: { type: 'string', default: '5' },
        peers: { type: 'string' },
        workloads: { type: 'string' },
        scopes: { type: 'string', default: '100000' },
        growth: { type: 'boolean', default: false },
        'growth-to': { type: 'string', default: '1000000' },
        json: { type: 'string' },
        svg: { type: 'string' },
        publish: { type: 'boolean', default: false },
        root: { type: 'string', default: '.' },
      },
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function number(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  return value >= least && value <= most ? value : refuse(`${option} must be a number from ${least} to ${most}.`);
}

function list<Word extends string>(option: string, text: string, words: readonly Word[]): readonly Word[] {
  return text.split(',').map((word) => {
    const found = words.find((known) => known === word.trim());
    return found ?? refuse(`${option} does not know "${word}"; it knows ${words.join(', ')}.`);
  });
}

function refuse(sentence: string): never {
  console.error(sentence);
  process.exit(2);
}
