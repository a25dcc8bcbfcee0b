// What networks do to a gateway's links: they cut, go silent, deliver late, or lose one direction.
import { during, type Fault, type Scene, span } from './fault.js';
import { someGateways } from './gateway-faults.js';
import type { Link } from './link.js';
import { loads } from './wire.js';

type Wires = (scene: Scene) => Link[];

const toRedis: Wires = (scene) => someGateways(scene).flatMap((gateway) => [...scene.site.redis.links(gateway)]);
const toPostgres: Wires = (scene) => someGateways(scene).flatMap((gateway) => scene.site.postgresLinks[gateway] ?? []);

/** Does something to each of the links for a while. */
const wires = (
  kind: string,
  touches: 'redis' | 'postgres',
  [fromMs, untilMs]: readonly [number, number],
  harm: (link: Link, scene: Scene) => void,
): Fault => ({
  kind: `${touches}-${kind}`,
  touches,
  strike: async (scene) => {
    const links = (touches === 'redis' ? toRedis : toPostgres)(scene);
    const harmed = () => links.reduce((total, link) => total + link.harmed, 0);
    const before = harmed();
    await during(
      span(scene.random, fromMs, untilMs),
      () => links.forEach((link) => harm(link, scene)),
      () => links.forEach((link) => link.mend()),
    );
    scene.tell(`${links.length} links, ${harmed() - before} times`);
    return harmed() > before;
  },
});

export const linkFaults: readonly Fault[] = [
  ...(['redis', 'postgres'] as const).flatMap((touches) => [
    wires('cut', touches, [0, 2_000], (link) => {
      link.refuse(true);
      link.cut();
    }),
    wires('half-open', touches, [300, 6_000], (link) => link.flow('swallowed', 'swallowed')),
    wires('replies-swallowed', touches, [100, 3_000], (link) => link.flow('open', 'swallowed')),
    wires('held', touches, [100, 6_000], (link) => link.flow('held', 'held')),
    wires('requests-held', touches, [100, 4_000], (link) => link.flow('held', 'open')),
    wires('replies-held', touches, [100, 4_000], (link) => link.flow('open', 'held')),
    wires('slow', touches, [500, 4_000], (link, { random }) => {
      const mostMs = touches === 'redis' ? 130 : 400;
      link.delay(() => random() * mostMs);
    }),
  ]),
  {
    ...wires('slow-loads', 'postgres', [2_000, 6_000], (link, { random }) => {
      link.delay((connection, side) => (side === 'replies' && loads(connection) ? random() * 2_800 : 0));
    }),
    weight: 2,
  },
  {
    // Nothing gets through to either store, and then all of it does.
    kind: 'isolated-gateway',
    touches: 'redis',
    strike: async (scene) => {
      const [gateway = 0] = someGateways(scene);
      const links = [...scene.site.redis.links(gateway), ...scene.site.postgresLinks.slice(gateway, gateway + 1)];
      await during(
        span(scene.random, 500, 6_000),
        () => links.forEach((link) => link.flow('held', 'held')),
        () => links.forEach((link) => link.mend()),
      );
    },
  },
];
