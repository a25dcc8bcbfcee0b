// Clients that read parameters all the time. Every read is checked; of each request it is kept how long it took, and how
// many of its answers came from the cache.
import { checkedKey } from '../../test/faults/domain.js';
import { parameters } from '../../test/faults/domain-parameter.js';
import { type GatewayProcess, NoAnswer } from '../../test/faults/gateway-process.js';
import { oneOf, pause } from '../../test/faults/traffic.js';
import type { MeasuredScene } from './measurement.js';

export interface Seen {
  readonly beganMs: number;
  readonly endedMs: number;
  readonly hits: number;
  readonly answers: number;
  /** Without an answer. */
  readonly failed: number;
}

export interface ViewersOptions {
  readonly scene: MeasuredScene;
  readonly gateways?: readonly GatewayProcess[];
  readonly perGateway: number;
  readonly keys: readonly string[];
  readonly keysPerRequest: number;
  readonly restMs: number;
}

export class Viewers {
  readonly seen: Seen[] = [];
  readonly #options: ViewersOptions;
  readonly #loops: readonly Promise<void>[];
  #over = false;

  /** They begin at once, and go on until `stop`. */
  constructor(options: ViewersOptions) {
    this.#options = options;
    const { scene, gateways = scene.site.gateways, perGateway } = options;
    this.#loops = gateways.flatMap((gateway) => Array.from({ length: perGateway }, () => this.#view(gateway)));
  }

  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#loops);
  }

  /** What began in this span. */
  between(fromMs: number, untilMs: number): readonly Seen[] {
    return this.seen.filter(({ beganMs }) => beganMs >= fromMs && beganMs < untilMs);
  }

  /** The share of answers from the cache; 0 where there was none. */
  hitRatio(fromMs: number, untilMs: number): number {
    const seen = this.between(fromMs, untilMs);
    return (
      sum(seen, ({ hits }) => hits) /
      Math.max(
        1,
        sum(seen, ({ answers }) => answers),
      )
    );
  }

  async #view(gateway: GatewayProcess): Promise<void> {
    const { scene, keys, keysPerRequest, restMs } = this.#options;
    const few = () => Array.from({ length: keysPerRequest }, () => oneOf(keys, scene.random));
    while (!this.#over) {
      this.seen.push(await look(scene, gateway, [...new Set(few())]));
      await pause(restMs);
    }
  }
}

/** Reads these parameters once. */
export async function look(
  { checker }: MeasuredScene,
  gateway: GatewayProcess,
  keys: readonly string[],
): Promise<Seen> {
  const { query, variables } = parameters.read(keys);
  const beganMs = performance.now();
  const ends = keys.map((key) => checker.beginRead(checkedKey(parameters, key)));
  const answer = await gateway.ask(query, variables, { trace: true }).catch((error: unknown) => {
    if (!(error instanceof NoAnswer)) throw error;
  });
  const endedMs = performance.now();
  const answers = answer ? parameters.answers(answer, keys) : [];
  for (const [at, one] of answers.entries()) if (one) ends[at]?.(one, gateway.name);
  const known = answers.filter((one) => one !== undefined).length;
  const hits = answer?.trace.filter(({ view, outcome }) => view === 'parameter' && outcome === 'HIT').length ?? 0;
  return { beganMs, endedMs, hits, answers: known, failed: keys.length - known };
}

export const sum = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
