// Redis is lost in the middle of a write, as its fence is sent: the write rolls back, and says that it may be tried again.
import { parameters } from '../../test/faults/domain-parameter.js';
import { NoAnswer } from '../../test/faults/gateway-process.js';
import type { Link, LinkConnection, Side } from '../../test/faults/link.js';
import type { RedisNode } from '../../test/faults/redis-node.js';
import { oneOf, pause } from '../../test/faults/traffic.js';
import { runsStep } from '../../test/faults/wire.js';
import type { MeasuredScene, Measurement } from './measurement.js';
import { untilAll } from './trust.js';

const SETTLE_MS = 500;
const RETRYABLE = 'CACHE_UNREACHABLE';

interface Loss {
  readonly name: string;
  /** At once: the fence must not get through. */
  readonly lose: (link: Link, master: RedisNode) => void;
  readonly mend: (link: Link, master: RedisNode) => Promise<void> | void;
}

const LOSSES: readonly Loss[] = [
  {
    name: 'its link is cut',
    lose: (link) => {
      link.refuse(true);
      link.cut();
    },
    mend: (link) => link.mend(),
  },
  {
    name: 'its link falls silent',
    lose: (link) => link.flow('swallowed', 'swallowed'),
    mend: (link) => link.mend(),
  },
  { name: 'it freezes', lose: (_, master) => master.freeze(), mend: (_, master) => master.thaw() },
  { name: 'it dies', lose: (_, master) => void master.kill(), mend: (_, master) => master.start() },
];

export const lostFence: Measurement = {
  name: 'fence',
  topology: 'standalone',
  measure: async (scene) => {
    const values = new Map(LOSSES.map(({ name }): [string, number[]] => [name, []]));
    for (let repeat = 0; repeat < 2 * scene.repeats; repeat++) {
      for (const loss of LOSSES) values.get(loss.name)?.push(await loseFence(scene, loss));
    }
    return LOSSES.map(({ name }) => ({
      name: `Fence not confirmed, for ${name}: until the write is refused`,
      unit: 'ms',
      values: values.get(name) ?? [],
      bound: { of: 'each', most: 300 },
    }));
  },
};

/** Resolves to the time from asking for a write until it was refused; Infinity where it was answered with anything else. */
async function loseFence(scene: MeasuredScene, { lose, mend }: Loss): Promise<number> {
  const { site, random } = scene;
  await untilAll(site.gateways, true);
  await pause(SETTLE_MS);
  const [gateway] = site.gateways;
  const [link] = site.redis.links(0);
  const [master] = await site.redis.masters();
  const operation = parameters.write(oneOf(parameters.batches.flat(), random), String(scene.serial()), random);
  if (!gateway || !link || !master || !operation) throw new Error('There is a gateway with a link to a master.');
  let lost = false;
  const tap = (side: Side, piece: Buffer, _: LinkConnection) => {
    if (lost || side !== 'requests' || !runsStep(piece, 'fence', site.digests)) return undefined;
    lost = true;
    lose(link, master);
    return undefined;
  };
  link.taps.add(tap);
  try {
    const askedMs = performance.now();
    const answer = await gateway.ask(operation.query, operation.variables).catch((error: unknown) => {
      if (!(error instanceof NoAnswer)) throw error;
    });
    const tookMs = performance.now() - askedMs;
    if (!lost) throw new Error('The fence went another way.');
    return answer?.errors[0]?.code === RETRYABLE ? tookMs : Number.POSITIVE_INFINITY;
  } finally {
    link.taps.delete(tap);
    await mend(link, master);
  }
}
