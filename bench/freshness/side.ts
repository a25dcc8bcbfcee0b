// The process of one side: its gateway behind the same HTTP edge as the others, and what it tells its parent.
import { basesOf } from '../../src/basis.js';
import { standingOf, traceOf } from '../../src/caller.js';
import { startGateway } from '../../src/gateway.js';
import { type Context, contextOfViewer } from '../../src/resolvers/index.js';
import { codedError, schema } from '../../src/schema/index.js';
import { makeLogger, startServer } from '../../src/server/index.js';
import { plainCache } from './plain-cache.js';
import { plainDatabase } from './plain-database.js';
import { plainSchema } from './plain-schema.js';
import type { Setting, Usage } from './side-process.js';

interface Side {
  readonly url: string;
  readonly counts: () => Pick<Usage, 'hits' | 'misses'>;
  readonly close: () => Promise<void>;
}

/** As a gateway has them unless told otherwise. */
const ANSWERS_BYTES = 64 * 1_048_576;
const EDGE = {
  host: '127.0.0.1',
  port: 0,
  portIsExplicit: true,
  readiness: async () => ({ ready: true, postgres: 'up' as const, cache: 'trusted' as const }),
  logger: makeLogger({ level: 'silent' }),
  production: true,
};

/** Espelho as it is served, but that its editor needs no token: nobody's does here. */
async function serveEspelho({ databaseUrl, redisUrl }: Setting): Promise<Side> {
  const gateway = await startGateway({
    databaseUrl,
    redisUrl,
    pepper: 'a pepper for measurements, longer than 32 characters',
    masterKey: '0123456789abcdef'.repeat(4),
    partitions: undefined,
    ttlMs: new Map(),
    logger: { info: () => {}, error: (facts, sentence) => console.error(sentence, facts) },
  });
  const editor = { subject: 'bench', scopes: new Set(['menus:write']), tokenId: null };
  const server = await startServer<Context>({
    ...EDGE,
    schema,
    codedError,
    standingOf,
    traceOf,
    answers: { maxBytes: ANSWERS_BYTES, ...basesOf(gateway.services) },
    contextOf: async (arrival) =>
      arrival.authorization === undefined
        ? gateway.contextOf(arrival)
        : contextOfViewer(gateway.services, editor, arrival.posted),
  });
  return {
    url: server.url,
    counts: () => {
      const menus = gateway.services.cache.status().views.find(({ view }) => view === 'menu');
      return { hits: menus?.hits ?? 0, misses: menus?.misses ?? 0 };
    },
    close: async () => {
      await server.close();
      await gateway.close();
    },
  };
}

async function servePlain({ side, databaseUrl, redisUrl }: Setting): Promise<Side> {
  const isTuned = side === 'tuned';
  const database = plainDatabase(databaseUrl, isTuned ? 'prepared' : 'as they come');
  const cache = plainCache(redisUrl, database.load, isTuned ? 'together' : 'each');
  const caller = { database, cache, afterWrite: isTuned ? ('store' as const) : ('drop' as const) };
  const server = await startServer({
    ...EDGE,
    schema: plainSchema,
    traceOf: () => [],
    contextOf: async () => ({ ...caller }),
  });
  return {
    url: server.url,
    counts: () => ({ ...cache.counts }),
    close: async () => {
      await server.close();
      cache.close();
      await database.close();
    },
  };
}

const setting = JSON.parse(process.argv[2] ?? '') as Setting;
const side = await (setting.side === 'espelho' ? serveEspelho(setting) : servePlain(setting));
process.on('message', (message) => {
  if (message === 'usage') {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuUs: user + system, ...side.counts() } satisfies Usage);
  } else if (message === 'close') {
    void side.close().then(() => process.exit(0));
  }
});
process.on('disconnect', () => process.exit(1));
process.send?.({ url: side.url });
