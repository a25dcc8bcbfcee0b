// A Postgres that crashes, freezes, loses a session in the middle of a COMMIT, or holds an old snapshot for long; and what
// psql does to many rows at once.
import postgres from 'postgres';
import { anyGateway, during, type Fault, span } from './fault.js';
import type { LinkConnection, Side } from './link.js';
import { signal } from './redis-node.js';
import { oneOf, pause } from './traffic.js';
import { backendOf, commits } from './wire.js';

const IDLE_MS = 60_000;
const COMMIT_MS = 3_000;

export const postgresFaults: readonly Fault[] = [
  {
    kind: 'postgres-restart',
    touches: 'postgres',
    strike: ({ site }) => site.postgres.restartImmediately(),
  },
  {
    kind: 'freeze-backend',
    touches: 'postgres',
    weight: 1.5,
    strike: async ({ site, random }) => {
      const backends = await site.postgres.backends();
      if (backends.length === 0) return false;
      const pid = oneOf(backends, random);
      return during(
        span(random, 100, 6_000),
        () => signal(pid, 'SIGSTOP'),
        () => signal(pid, 'SIGCONT'),
      );
    },
  },
  {
    kind: 'freeze-postgres',
    touches: 'postgres',
    strike: async ({ site, random }) => {
      const rows = await site.postgres.psql<{ pid: number }[]>`SELECT pid FROM pg_stat_activity`;
      const pids = [await site.postgres.pid(), ...rows.map(({ pid }) => pid)];
      return during(
        span(random, 100, 6_000),
        () => pids.forEach((pid) => signal(pid, 'SIGSTOP')),
        () => pids.reverse().forEach((pid) => signal(pid, 'SIGCONT')),
      );
    },
  },
  {
    kind: 'terminate-commit',
    touches: 'postgres',
    weight: 1.5,
    strike: async (scene) => {
      const { site, random } = scene;
      const link = site.postgresLinks[anyGateway(scene)];
      const before = random() < 0.3;
      let tap: (side: Side, piece: Buffer, connection: LinkConnection) => Promise<void> | undefined = () => undefined;
      const struck = new Promise<true>((resolve) => {
        tap = (side, _piece, connection) => {
          const pid = side === 'requests' && commits(connection) ? backendOf(connection) : undefined;
          if (pid === undefined) return undefined;
          link?.taps.delete(tap);
          const ended = site.postgres.psql`SELECT pg_terminate_backend(${pid})`.then(
            () => {},
            () => {},
          );
          resolve(true);
          return before ? ended : undefined;
        };
      });
      link?.taps.add(tap);
      const happened = await Promise.race([struck, pause(COMMIT_MS).then(() => false)]);
      link?.taps.delete(tap);
      return happened;
    },
  },
  {
    kind: 'idle-transaction',
    touches: 'data',
    beside: true,
    strike: async ({ site, over, tell }) => {
      const client = postgres(site.postgres.url({ database: 'postgres' }), { max: 1, onnotice: () => {} });
      const startedMs = performance.now();
      const untilMs = startedMs + IDLE_MS;
      const stood = await client
        .begin(async (tx) => {
          await tx`SELECT pg_current_xact_id()`;
          while (!over() && performance.now() < untilMs) await pause(200);
          await tx`SELECT 1`;
          return true;
        })
        .catch(() => false);
      await client.end({ timeout: 1 });
      tell(stood ? `${Math.round((performance.now() - startedMs) / 1_000)} s` : 'ended early by a restart');
    },
  },
];
