// Sends scripts to the masters of their partitions: one round-trip per master, side by side, each with its own deadline.
// Where a master does not answer, or answers that the partition is no longer its own, that partition alone is unavailable;
// nothing is sent a second time.
import { CacheUnavailable } from './errors.js';
import { within } from './redis-deadline.js';
import type { RedisNode, RedisServers } from './redis-servers.js';
import type { Call } from './scripts.js';

export type PartitionCall = Call & { readonly partition: number };

/** What the script returned, or why that is not known. */
export type Answer = { readonly kind: 'answered'; readonly reply: unknown } | Unavailable;

export interface Unavailable {
  readonly kind: 'unavailable';
  readonly error: CacheUnavailable;
}

export interface ExchangeOptions {
  readonly servers: RedisServers;
  /** The hash tag of a partition. */
  readonly tag: (partition: number) => string;
  readonly timeoutMs: number;
}

export class Exchange {
  readonly #options: ExchangeOptions;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** One answer per call, in order. Never rejects, and ends within `withinMs`. */
  async send(
    lane: 'reads' | 'writes',
    calls: readonly PartitionCall[],
    withinMs = this.#options.timeoutMs,
  ): Promise<Answer[]> {
    const answers = new Array<Answer | undefined>(calls.length);
    const byMaster = this.#byMaster(calls);
    const ask = async (node: RedisNode, places: readonly number[]) => {
      const sent = places.length === calls.length ? calls : places.flatMap((at) => calls[at] ?? []);
      const replies = await within(withinMs, node[lane].run(sent)).catch((error: unknown) => sent.map(() => error));
      places.forEach((at, index) => {
        answers[at] = answerOf(replies[index]);
      });
    };
    const [first] = byMaster;
    if (first && byMaster.size === 1) await ask(...first);
    else await Promise.all([...byMaster].map(([node, places]) => ask(node, places)));
    // An error takes longer to make than a reply to decode: only where it is one.
    const known = Array.from(
      answers,
      (answer) => answer ?? unavailable('No Redis master is known for this partition.'),
    );
    if (known.some((answer) => answer.kind === 'unavailable' && DOUBTFUL.has(answer.error.kind)))
      this.#options.servers.doubt();
    return known;
  }

  #byMaster(calls: readonly PartitionCall[]): Map<RedisNode, number[]> {
    const places = new Map<RedisNode, number[]>();
    for (const [at, { partition }] of calls.entries()) {
      const node = this.#options.servers.masterOf(this.#options.tag(partition));
      if (!node) continue;
      const before = places.get(node);
      if (before) before.push(at);
      else places.set(node, [at]);
    }
    return places;
  }
}

const DOUBTFUL: ReadonlySet<CacheUnavailable['kind']> = new Set(['timeout', 'connection']);

function answerOf(reply: unknown): Answer {
  if (!(reply instanceof Error)) return { kind: 'answered', reply };
  if (reply instanceof CacheUnavailable) return { kind: 'unavailable', error: reply };
  const found = MEANINGS.find(({ starts }) => starts.test(reply.message));
  if (found) return unavailable(found.sentence, found.kind, reply);
  return reply.name === 'ReplyError' && reply.message.startsWith('ERR')
    ? unavailable('Redis refused a cache script.', 'reply', reply)
    : unavailable('Redis is out of reach.', 'connection', reply);
}

const MEANINGS: readonly { starts: RegExp; sentence: string; kind: CacheUnavailable['kind'] }[] = [
  { starts: /^OOM/, sentence: 'Redis is out of memory.', kind: 'memory' },
  { starts: /^WRONGTYPE/, sentence: 'A key in Redis has a foreign type.', kind: 'reply' },
  {
    starts: /^(MOVED|ASK|TRYAGAIN)/,
    sentence: 'Another Redis master holds this partition by now.',
    kind: 'connection',
  },
  { starts: /^CLUSTERDOWN/, sentence: 'The Redis Cluster is down.', kind: 'connection' },
  { starts: /^(READONLY|MASTERDOWN)/, sentence: 'Redis answers as a replica.', kind: 'connection' },
  { starts: /^(NOAUTH|NOPERM|WRONGPASS)/, sentence: 'Redis refuses the user in REDIS_URL.', kind: 'connection' },
];

const unavailable = (sentence: string, kind: CacheUnavailable['kind'] = 'connection', cause?: Error): Unavailable => ({
  kind: 'unavailable',
  // Without the command, whose arguments are tokens and values.
  error: new CacheUnavailable(sentence, kind, cause && { cause: new Error(cause.message) }),
});
