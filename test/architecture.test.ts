// The house: which room may know which, and what no room does. Arrows never turn back, not even for a type.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { views } from '../src/resolvers/index.js';

/** Which rooms a room may import. A file that is no folder's is a room of its own. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  schema: ['resolvers', 'cache', 'db'],
  resolvers: ['cache', 'db'],
  cache: [],
  db: [],
  server: [],
  embedded: [],
  config: [],
  workers: [],
  gateway: ['caller', 'trouble', 'store', 'resolvers', 'cache', 'db'],
  caller: ['resolvers'],
  trouble: ['resolvers', 'cache', 'db'],
  basis: ['resolvers', 'cache'],
  store: ['cache', 'db'],
  cli: ['main', 'gateway', 'config', 'embedded', 'resolvers', 'cache', 'db'],
  main: [
    'cli',
    'gateway',
    'caller',
    'basis',
    'config',
    'embedded',
    'workers',
    'server',
    'schema',
    'resolvers',
    'cache',
    'db',
  ],
};

/** Past a door: imports are for the command line alone, and stay out of the doors that a gateway comes in by. */
const PAST_THE_DOOR: readonly (readonly [from: string, to: string])[] = [
  ['src/resolvers/import/', 'src/db/import.ts'],
  ['src/cli/', 'src/resolvers/'],
];

/** Who talks to a terminal. */
const PRINTS = ['src/main.ts', 'src/cli/'];

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((file) => join('src', file).replaceAll(sep, '/'))
  .filter((file) => file.endsWith('.ts') || file.endsWith('.lua'));
const sourceOf = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
const importsOf = new Map(files.map((file) => [file, importsIn(file)]));

function importsIn(file: string): string[] {
  const source = codeOf(file);
  const named = /\b(?:import|export)\b[^;'"]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g;
  return [...source.matchAll(named)]
    .map(([, from, bare]) => from ?? bare ?? '')
    .filter((path) => path.startsWith('.'))
    .map((path) => normalize(join(dirname(file), path.replace(/\.js$/, '.ts'))).replaceAll(sep, '/'));
}

/** The source without its comments. */
function codeOf(file: string): string {
  return (sourceOf.get(file) ?? '').replace(/\/\*[\s\S]*?\*\/|(?<!['":])\/\/.*$/gm, '');
}

function roomOf(file: string): string {
  const [, room = '', ...rest] = file.split('/');
  return rest.length > 0 ? room : room.replace(/\.ts$/, '');
}

const crossings = [...importsOf].flatMap(([from, tos]) =>
  tos.filter((to) => roomOf(to) !== roomOf(from)).map((to) => ({ from, to, arrow: `${from} → ${to}` })),
);

describe('the house', () => {
  it('is read whole', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(crossings.length).toBeGreaterThan(20);
    for (const tos of importsOf.values()) for (const to of tos) expect(files).toContain(to);
  });

  it('has no room without a place in the arrows', () => {
    expect([...new Set(files.map(roomOf))].filter((room) => !(room in ARROWS))).toEqual([]);
  });

  it('has no arrow that turns back', () => {
    const backward = crossings.filter(({ from, to }) => !ARROWS[roomOf(from)]?.includes(roomOf(to)));
    expect(backward.map(({ arrow }) => arrow)).toEqual([]);
  });

  it('keeps cache and db apart', () => {
    const meeting = crossings.filter(({ from, to }) => /^(cache|db) (cache|db)$/.test(`${roomOf(from)} ${roomOf(to)}`));
    expect(meeting.map(({ arrow }) => arrow)).toEqual([]);
  });

  it('is entered by its doors', () => {
    const excepted = ({ from, to }: { from: string; to: string }) =>
      PAST_THE_DOOR.some(([fromStart, toStart]) => from.startsWith(fromStart) && to.startsWith(toStart));
    const past = crossings.filter((each) => each.to.split('/').length > 2 && !each.to.endsWith('/index.ts'));
    expect(past.filter((each) => !excepted(each)).map(({ arrow }) => arrow)).toEqual([]);
  });

  it('has no cycle of imports', () => {
    expect(findCycle()).toBeUndefined();
  });

  it('has no export by default', () => {
    expect(files.filter((file) => /\bexport default\b/.test(codeOf(file)))).toEqual([]);
  });
});

describe('no room', () => {
  it.each(views.map(({ name }) => name))('of the engine knows the view %s', (name) => {
    const literal = new RegExp(`(['"\`])${name}\\1|['"\`]${name}:`);
    const withoutFields = (file: string) => codeOf(file).replace(/\b(?:Pick|Omit)<[^>]*>/g, '');
    const knowing = files.filter((file) => file.startsWith('src/cache/') && literal.test(withoutFields(file)));
    expect(knowing).toEqual([]);
  });

  it('but those that talk to a terminal prints', () => {
    const silent = files.filter((file) => !PRINTS.some((start) => file.startsWith(start)));
    expect(silent.filter((file) => /\bconsole\s*\./.test(codeOf(file)))).toEqual([]);
  });

  it('hides from the compiler', () => {
    const hiding = /@ts-(ignore|expect-error|nocheck)|biome-ignore/;
    expect(files.filter((file) => hiding.test(sourceOf.get(file) ?? ''))).toEqual([]);
    const anything = /(?:[:<,|&(]|\bas|=>)\s*any\b(?!\s*\()|\bany\[\]/;
    expect(files.filter((file) => anything.test(withoutStrings(codeOf(file))))).toEqual([]);
  });

  it('takes a connection, a clock or a dice of its own into the engine', () => {
    const engine = files.filter((file) => file.startsWith('src/cache/') && file.endsWith('.ts'));
    const taken = /\bDate\.now\(|\bMath\.random\(|\bprocess\.env\b|\bnew Date\(\)/;
    expect(engine.filter((file) => taken.test(codeOf(file)))).toEqual([]);
  });
});

function withoutStrings(code: string): string {
  return code.replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, "''");
}

/** The files of one cycle, first and last the same; undefined where there is none. */
function findCycle(): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of importsOf.get(file) ?? []) {
      const cycle = visit(next, [...way, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of files) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}
