// What is measured through HTTP and GraphQL: warm reads, reads with misses and writes among them, and writes alone.
import { type Client, openClient } from './client.js';
import type { Slice } from './figures.js';
import { HOT, ITEMS, nameOf, seeded, zipf } from './keys.js';
import { type Asked, type Course, takeTurns } from './load.js';
import type { SideProcess } from './side-process.js';

export type Slices = ReadonlyMap<string, readonly Slice[]>;

const READ = 'query Menu($key: String!) { menu(key: $key) { title items { key label url } } }';
const WRITE =
  'mutation Rename($key: String!, $item: String!, $label: String!) { renameMenuItem(key: $key, item: $item, label: $label) { __typename ... on RenameMenuItemPayload { receipt { visible } } } }';

/** Zipf over the hot menus, all of them cached. */
export async function warmReads(sides: readonly SideProcess[], course: Course): Promise<Slices> {
  const hot = zipf(seeded(1));
  await onEach(sides, 16, async (client, at) => {
    for (let menu = at; menu < HOT; menu += 16) await client.ask(readOf(nameOf(menu)));
  });
  return turns(sides, course, () => readOf(hot()));
}

/** Of each side, the share of its reads that the cache answered. */
export type HitRatios = ReadonlyMap<string, number>;

/** Of 1,000 requests, 10 are writes to hot menus and 50 ask for menus that nobody has asked for; the same ones on every side. */
export async function mixedReads(
  sides: readonly SideProcess[],
  course: Course,
): Promise<{ slices: Slices; hits: HitRatios }> {
  const before = await Promise.all(sides.map((side) => side.usage()));
  const perSide = new Map<string, () => string>(sides.map(({ name }) => [name, mixedBodies()]));
  const slices = await turns(sides, course, (side) => perSide.get(side)?.() ?? '');
  const after = await Promise.all(sides.map((side) => side.usage()));
  const ratioOf = (at: number) => {
    const hits = (after[at]?.hits ?? 0) - (before[at]?.hits ?? 0);
    const misses = (after[at]?.misses ?? 0) - (before[at]?.misses ?? 0);
    return hits / (hits + misses);
  };
  return { slices, hits: new Map(sides.map(({ name }, at) => [name, ratioOf(at)])) };
}

/** Writes alone, to any of the hot menus. */
export async function writes(sides: readonly SideProcess[], course: Course): Promise<Slices> {
  const random = seeded(2);
  let count = 0;
  return turns(sides, course, () => writeOf(nameOf(Math.floor(random() * HOT)), count++));
}

function mixedBodies(): () => string {
  const random = seeded(3);
  const hot = zipf(random);
  let cold = HOT;
  let count = 0;
  return () => {
    const kind = random();
    if (kind < 0.01) return writeOf(hot(), count++);
    return readOf(kind < 0.06 ? nameOf(cold++) : hot());
  };
}

async function turns(sides: readonly SideProcess[], course: Course, bodyOf: (side: string) => string): Promise<Slices> {
  const clients = new Map<string, Client[]>();
  const asked = await Promise.all(
    sides.map(async (side): Promise<Asked> => {
      const own = await Promise.all(Array.from({ length: course.askers }, () => openClient(side.url)));
      clients.set(side.name, own);
      return {
        name: side.name,
        ask: async (asker) => (await own[asker]?.ask(bodyOf(side.name))) ?? Number.NaN,
        cpuUs: async () => (await side.usage()).cpuUs,
      };
    }),
  );
  try {
    return await takeTurns(asked, course);
  } finally {
    for (const client of [...clients.values()].flat()) client.close();
  }
}

async function onEach(
  sides: readonly SideProcess[],
  askers: number,
  act: (client: Client, asker: number) => Promise<void>,
): Promise<void> {
  for (const side of sides) {
    const acting = Array.from({ length: askers }, async (_, asker) => {
      const client = await openClient(side.url);
      await act(client, asker);
      client.close();
    });
    await Promise.all(acting);
  }
}

const readOf = (key: string): string => JSON.stringify({ query: READ, variables: { key } });

const writeOf = (key: string, count: number): string =>
  JSON.stringify({ query: WRITE, variables: { key, item: `item-${count % ITEMS}`, label: `Label ${count}` } });
