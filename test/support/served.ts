// A whole gateway behind its HTTP edge.
import { basesOf } from '../../src/basis.js';
import { traceOf } from '../../src/caller.js';
import { contextOfEvent } from '../../src/resolvers/index.js';
import { codedError, schema } from '../../src/schema/index.js';
import { makeLogger, startServer } from '../../src/server/index.js';
import { type Api, type ApiOptions, startApi } from './api.js';
import { eventually } from './eventually.js';
import { type Followed, type FollowOptions, follow } from './follow.js';

export interface Served extends Api {
  readonly url: string;
  /** Ends the edge alone. */
  readonly stop: () => Promise<void>;
  readonly follow: (document: string, options?: FollowOptions) => Promise<Followed>;
}

export interface ServedOptions extends ApiOptions {
  /** Of ready answers. */
  readonly answersBytes?: number;
}

export async function serveApi({ answersBytes = 16_000_000, ...options }: ServedOptions = {}): Promise<Served> {
  const api = await startApi(options);
  const { services, contextOf, readiness } = api.gateway;
  const { url, close } = await startServer({
    host: '127.0.0.1',
    port: 0,
    portIsExplicit: true,
    schema,
    contextOf,
    codedError,
    callerOfEvent: contextOfEvent,
    traceOf,
    answers: { maxBytes: answersBytes, ...basesOf(services) },
    readiness,
    logger: makeLogger({ level: 'silent' }),
    production: false,
    heartbeatMs: 100,
    limits: { subscriptionsPerCaller: 100, deadlineMs: 60_000 },
  });
  let opening: Promise<unknown> = Promise.resolve();
  return {
    ...api,
    url,
    stop: close,
    follow: (document, how) => {
      const open = async () => {
        const { feed } = services.cache;
        const before = feed.listeners;
        const followed = await follow(url, document, how);
        if (followed.status === 200) await eventually(() => feed.listeners > before || followed.results.length > 0);
        return followed;
      };
      // One after the other: who has begun to listen is told by their number.
      const followed = opening.then(open);
      opening = followed.catch(() => {});
      return followed;
    },
    close: async () => {
      await close();
      await api.close();
    },
  };
}
