// Gateways that die, at any moment or at a named step of a write; that freeze; and that are replaced by another version.
import { anyGateway, during, type Fault, type Scene, span } from './fault.js';
import type { Link, LinkConnection, Side } from './link.js';
import type { Site } from './site.js';
import { oneOf, pause } from './traffic.js';
import { commits, runsStep, type Step } from './wire.js';

/** Before: not delivered. Delivered: done, but the gateway never hears of it. Answered: the answer has just come. */
type Phase = 'before' | 'delivered' | 'answered';

const STEPS: readonly Step[] = ['fence', 'commit', 'publish'];
const PHASES: readonly Phase[] = ['before', 'delivered', 'answered'];
/** Writes come all the time; a step that does not come has been lost to another fault. */
const STEP_MS = 3_000;

export const gatewayFaults: readonly Fault[] = [
  ...STEPS.flatMap((step) =>
    PHASES.map((phase): Fault => {
      return {
        kind: `kill-${phase}-${step}`,
        touches: 'gateway',
        weight: 0.7,
        strike: (scene) => killAt(scene, step, phase),
      };
    }),
  ),
  {
    kind: 'kill-gateway',
    touches: 'gateway',
    strike: async (scene) => {
      const gateway = scene.site.gateways[anyGateway(scene)];
      gateway?.kill();
      await pause(span(scene.random, 50, 1_500));
      await gateway?.start();
    },
  },
  {
    kind: 'freeze-gateway',
    touches: 'gateway',
    weight: 2,
    strike: async (scene) => {
      const gateway = scene.site.gateways[anyGateway(scene)];
      await during(
        span(scene.random, 100, 6_000),
        () => gateway?.freeze(),
        () => gateway?.thaw(),
      );
    },
  },
  {
    kind: 'rolling-restart',
    touches: 'gateway',
    strike: async ({ site, random, tell }) => {
      const [first, second] = site.roots;
      const next = site.gateways[0]?.root === first ? second : first;
      tell(`to the ${next === first ? 'first' : 'second'} version`);
      for (const gateway of site.gateways) {
        await gateway.stop();
        gateway.root = next;
        await gateway.start();
        await pause(random() * 500);
      }
    },
  },
];

async function killAt(scene: Scene, step: Step, phase: Phase): Promise<boolean> {
  const at = anyGateway(scene);
  if (!(await killedAt(scene, at, step, phase))) return false;
  await pause(span(scene.random, 50, 1_500));
  await scene.site.gateways[at]?.start();
  return true;
}

/** Kills a gateway when the next write of its own comes to this step; resolves to false where none does for 3 s. */
export async function killedAt(
  { site, random }: Pick<Scene, 'site' | 'random'>,
  at: number,
  step: Step,
  phase: Phase,
): Promise<boolean> {
  const gateway = site.gateways[at];
  const links: readonly (Link | undefined)[] = step === 'commit' ? [site.postgresLinks[at]] : site.redis.links(at);
  if (!gateway?.up) return false;
  let struck = () => {};
  const killed = new Promise<true>((resolve) => {
    struck = () => resolve(true);
  });
  let met: LinkConnection | undefined;
  const strike = (connection: LinkConnection) => {
    for (const link of links) link?.taps.delete(tap);
    gateway.kill();
    if (phase !== 'answered') connection.reset();
    struck();
  };
  const tap = (side: Side, piece: Buffer, connection: LinkConnection) => {
    if (side === 'requests' && !met && isAt(site, step, piece, connection)) {
      met = connection;
      if (phase === 'before') strike(connection);
    } else if (side === 'replies' && connection === met) {
      if (phase === 'delivered') strike(connection);
      else setTimeout(() => strike(connection), random() * 3);
    }
    return undefined;
  };
  for (const link of links) link?.taps.add(tap);
  const happened = await Promise.race([killed, pause(STEP_MS).then(() => false)]);
  for (const link of links) link?.taps.delete(tap);
  return happened;
}

function isAt({ digests }: Site, step: Step, piece: Buffer, connection: LinkConnection): boolean {
  return step === 'commit' ? commits(connection) : runsStep(piece, step, digests);
}

/** A gateway, chosen again: more than one may be gone at once. */
export const someGateways = ({ site, random }: Scene): number[] =>
  random() < 0.3 ? [...site.gateways.keys()] : [oneOf([...site.gateways.keys()], random)];
