// Closed loops of askers, for a slice of time or a number of requests; sides take turns slice by slice, so that what the
// machine does besides falls on all of them alike.
import { type Slice, sliceOf } from './figures.js';

/** One side, as something to be asked. */
export interface Asked {
  readonly name: string;
  readonly ask: (asker: number, round: number) => Promise<number>;
  /** Microseconds on the processor since it began. */
  readonly cpuUs: () => Promise<number>;
}

export interface Course {
  readonly askers: number;
  readonly rounds: number;
  readonly warmUpRounds: number;
  /** A slice ends after this long, or after so many requests. */
  readonly slice: { readonly ms: number } | { readonly requests: number };
}

/** Slices by side, one for each round after the warm-up; within a round, each time another side begins. */
export async function takeTurns(
  sides: readonly Asked[],
  course: Course,
): Promise<ReadonlyMap<string, readonly Slice[]>> {
  const slices = new Map<string, Slice[]>(sides.map(({ name }) => [name, []]));
  for (let round = -course.warmUpRounds; round < course.rounds; round++) {
    const first = (round + course.warmUpRounds) % sides.length;
    for (const side of [...sides.slice(first), ...sides.slice(0, first)]) {
      const slice = await takeSlice(side, round, course);
      if (round >= 0) slices.get(side.name)?.push(slice);
    }
  }
  return slices;
}

async function takeSlice({ ask, cpuUs }: Asked, round: number, { askers, slice }: Course): Promise<Slice> {
  const latenciesMs: number[] = [];
  const before = await cpuUs();
  const endMs = 'ms' in slice ? performance.now() + slice.ms : Number.POSITIVE_INFINITY;
  let left = 'requests' in slice ? slice.requests : Number.POSITIVE_INFINITY;
  const loop = async (asker: number) => {
    while (performance.now() < endMs && left-- > 0) latenciesMs.push(await ask(asker, round));
  };
  await Promise.all(Array.from({ length: askers }, (_, asker) => loop(asker)));
  return sliceOf(latenciesMs, (await cpuUs()) - before);
}
