// A whole gateway as production has it, but that it takes documents of anybody's own and refuses no token for its number.
import { BlockList } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { basesOf } from '../../src/basis.js';
import { standingOf, traceOf } from '../../src/caller.js';
import { startGateway } from '../../src/gateway.js';
import {
  contextOfEvent,
  contextOfViewer,
  introspection,
  issueDemoTokens,
  loadDemoData,
  remoteFlags,
  SCOPES,
  type Services,
} from '../../src/resolvers/index.js';
import { issueToken } from '../../src/resolvers/token-write.js';
import { codedError, schema } from '../../src/schema/index.js';
import { makeLogger, startServer } from '../../src/server/index.js';

export interface Site {
  readonly url: string;
  readonly port: number;
  /** Of nobody, a reader and an administrator. */
  readonly callers: readonly (string | undefined)[];
  /** Failures that clients were told of as INTERNAL, since it was asked before. */
  readonly failures: () => readonly string[];
  /** Counts an answer that the machine was too busy for. */
  readonly busy: () => void;
  readonly timesBusy: () => number;
  readonly close: () => Promise<void>;
}

/** Starts it over these servers, with the demo data. */
export async function openSite(stores: { readonly databaseUrl: string; readonly redisUrl: string }): Promise<Site> {
  const gateway = await startGateway({
    ...stores,
    pepper: 'a pepper for tests, with more than 32 characters',
    masterKey: '0123456789abcdef'.repeat(4),
    statementTimeoutMs: 60_000, // on a slow machine too
    storeTimeoutMs: 10_000,
    partitions: undefined,
    ttlMs: new Map(),
    logger: { info: () => {}, error: () => {} },
  });
  const { services, contextOf, readiness, allowances } = gateway;
  await patiently(() => loadDemoData(services));
  const roles = await patiently(() => issueDemoTokens(services));
  const administrator = await patiently(() => administratorOf(services));
  const failures: string[] = [];
  let timesBusy = 0;
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    portIsExplicit: true,
    schema,
    contextOf,
    codedError,
    callerOfEvent: contextOfEvent,
    traceOf,
    readiness,
    allowances,
    standingOf,
    introspect: introspection,
    flags: remoteFlags,
    inspect: (view, key) => services.cache.inspect(view, key),
    controlSecret: 'a secret of commands, for tests only',
    answers: { maxBytes: 4_000_000, ...basesOf(services) },
    proxies: new BlockList(),
    limits: { deadlineMs: 60_000, headersMs: 1_000, requestMs: 2_000 },
    rates: { failures: 0, issue: 0, introspect: 0, reveal: 0 },
    introspection: true,
    production: true,
    graphiql: { examples: [] },
    logger: makeLogger({
      level: 'error',
      write: (line) => {
        failures.push(line);
      },
    }),
  });
  return {
    url: server.url,
    port: Number(new URL(server.url).port),
    callers: [undefined, roles.get('frontend'), administrator],
    failures: () => failures.splice(0),
    busy: () => {
      timesBusy += 1;
    },
    timesBusy: () => timesBusy,
    close: async () => {
      await server.close();
      await gateway.close();
    },
  };
}

/** Does it again where the machine was too busy. */
async function patiently<Value>(act: () => Promise<Value>): Promise<Value> {
  for (let time = 1; ; time += 1) {
    try {
      return await act();
    } catch (error) {
      if (time === 10) throw error;
      await sleep(1_000);
    }
  }
}

async function administratorOf(services: Services): Promise<string> {
  const viewer = { subject: 'administrator', scopes: new Set(SCOPES), tokenId: null };
  const input = { name: 'administrator', subject: 'administrator', scopes: [...SCOPES] };
  return (await issueToken(contextOfViewer(services, viewer), input)).secret ?? '';
}
