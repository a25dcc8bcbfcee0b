// The process that makes the load, so that what it costs is not on the side that is measured.
import { type Slice, takeSlice, type Writes } from './load.js';
import { type Pools, poolsOf, type Request } from './requests.js';
import type { Size } from './size.js';
import { type GrowthName, type WorkloadName, workloads } from './workloads.js';

/** `prepare` asks for everything once; `slice` goes on with the sequence of the contestant for so long. */
export interface Order {
  readonly kind: 'prepare' | 'slice';
  readonly workload: WorkloadName | GrowthName;
  readonly name: string;
  readonly port: number;
  readonly lane: number;
  readonly ms: number;
}

/** What was measured, and the processor time that the load itself took. */
export type Outcome =
  | { readonly kind: 'measured'; readonly slice: Slice; readonly cpuUs: number }
  | { readonly kind: 'broken'; readonly message: string };

const PREPARED_AT_ONCE = 16;

const pools: Pools = poolsOf(JSON.parse(process.argv[2] ?? '') as Size);
const sequences = new Map<string, () => Request>();
const writesOf = new Map<string, Writes>();
let count = 0;

async function obey({ kind, workload: chosen, name, port, lane, ms }: Order): Promise<Slice> {
  const workload = workloads[chosen];
  const writes = entryOf(writesOf, name, () => ({
    acknowledged: new Map<string, number>(),
    writing: new Set<string>(),
  }));
  if (kind === 'prepare') {
    const all = workload
      .prepared(pools)
      .flatMap((pool) => Array.from({ length: pool.size }, (_, at) => [pool, at] as const));
    let asked = 0;
    const next = () => {
      const [pool, at] = all[asked++] ?? [];
      return pool?.at(at ?? 0);
    };
    return takeSlice({ port, connections: PREPARED_AT_ONCE, writes, next, ms });
  }
  const next = entryOf(sequences, `${chosen} ${name}`, () =>
    workload.sequence(pools, { lane, writing: writes.writing, nextCount: () => ++count }),
  );
  return takeSlice({ port, connections: workload.connections, writes, next, ms });
}

function entryOf<Value>(entries: Map<string, Value>, key: string, make: () => Value): Value {
  const found = entries.get(key) ?? make();
  entries.set(key, found);
  return found;
}

process.on('message', (order: Order) => {
  const before = process.cpuUsage();
  const tell = (outcome: Outcome) => process.send?.(outcome);
  obey(order).then(
    (slice) => {
      const { user, system } = process.cpuUsage(before);
      tell({ kind: 'measured', slice, cpuUs: user + system });
    },
    (error: Error) => tell({ kind: 'broken', message: error.message }),
  );
});
process.on('disconnect', () => process.exit(0));
