// One slice of load: closed loops on open connections until the time is up, and what came back.
import { type Connection, openConnection } from './connection.js';
import { countIn, type Request } from './requests.js';

export interface Slice {
  readonly requests: number;
  /** Good answers. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bytes: number;
  /** Reads that showed an older value than a write that was acknowledged before they began. */
  readonly stale: number;
  /** Answers other than 200 without errors. */
  readonly failed: number;
  /** How the first of them read. */
  readonly failure: string | undefined;
}

/** The writes of one contestant, as far as it has acknowledged them. */
export interface Writes {
  readonly acknowledged: Map<string, number>;
  readonly writing: Set<string>;
}

export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly writes: Writes;
  /** Undefined when there is nothing left to ask. */
  readonly next: () => Request | undefined;
  /** No request is begun after so long. */
  readonly ms: number;
}

/** Rejects when a connection is lost. */
export async function takeSlice({ port, connections, writes, next, ms }: Load): Promise<Slice> {
  const latenciesMs: number[] = [];
  const tally = { bytes: 0, stale: 0, failed: 0, failure: undefined as string | undefined };
  let lose: (error: Error) => void = () => {};
  const lost = new Promise<never>((_, reject) => {
    lose = reject;
  });
  lost.catch(() => {});
  const opened: Connection[] = [];
  try {
    for (let at = 0; at < connections; at++) opened.push(await openConnection(port, lose));
    const startedMs = performance.now();
    const endMs = startedMs + ms;
    const loops = opened.map(
      (connection) =>
        new Promise<void>((done) => {
          const ask = () => {
            const request = performance.now() < endMs ? next() : undefined;
            if (!request) {
              connection.close(); // before the server finds it idle
              return done();
            }
            const judge = judgeOf(request, writes);
            const sentMs = performance.now();
            connection.send(request.bytes, (status, body) => {
              latenciesMs.push(performance.now() - sentMs);
              tally.bytes += body.length;
              const isGood = status === 200 && !body.includes('"errors":[');
              if (!judge(body, isGood)) tally.stale++;
              if (!isGood) {
                tally.failed++;
                tally.failure ??= `${status} ${body.toString('utf8', 0, 300)}`;
              }
              ask();
            });
          };
          ask();
        }),
    );
    await Promise.race([Promise.all(loops), lost]);
    return { ...told(latenciesMs, tally.failed, performance.now() - startedMs), ...tally };
  } finally {
    for (const connection of opened) connection.close();
  }
}

/** Begins a read or a write; what it resolves to says whether an answer is as new as it has to be. */
function judgeOf(
  { menu, body }: Request,
  { acknowledged, writing }: Writes,
): (answer: Buffer, isGood: boolean) => boolean {
  if (menu === undefined) return () => true;
  if (body.startsWith('{"operationName":"Rename"')) {
    const count = countIn(Buffer.from(body));
    writing.add(menu);
    return (answer, isGood) => {
      writing.delete(menu);
      if (isGood && answer.includes('RenameMenuItemPayload')) acknowledged.set(menu, count);
      return true;
    };
  }
  const least = acknowledged.get(menu);
  return least === undefined ? () => true : (answer, isGood) => !isGood || countIn(answer) >= least;
}

function told(latenciesMs: readonly number[], failed: number, elapsedMs: number) {
  const sorted = Float64Array.from(latenciesMs).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return {
    requests: sorted.length,
    perSecond: ((sorted.length - failed) * 1_000) / elapsedMs,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}
