// The process that is overloaded: a gateway as production has it, and tokens for those who ask. Answers are not kept ready: a
// hit that costs next to nothing would measure whoever sends the load.
import { standingOf, traceOf } from '../../src/caller.js';
import { startGateway } from '../../src/gateway.js';
import { contextOfViewer, globalId, SCOPES } from '../../src/resolvers/index.js';
import { issueToken } from '../../src/resolvers/token-write.js';
import { codedError, schema } from '../../src/schema/index.js';
import { makeLogger, startServer } from '../../src/server/index.js';
import type { Setting, Started } from './gateway-process.js';

const { databaseUrl, redisUrl, tokens } = JSON.parse(process.argv[2] ?? '') as Setting;
const logger = makeLogger({ level: 'info' });
const gateway = await startGateway({
  databaseUrl,
  redisUrl,
  pepper: 'a pepper for measurements, longer than 32 characters',
  masterKey: '0123456789abcdef'.repeat(4),
  partitions: undefined,
  ttlMs: new Map(),
  logger,
});
const { services, contextOf, readiness, allowances } = gateway;
const viewer = { subject: 'bench', scopes: new Set(SCOPES), tokenId: null };
const issue = async (scopes: readonly string[]) => {
  const issued = await issueToken(contextOfViewer(services, viewer), { name: 'bench', subject: 'bench', scopes });
  return { id: globalId('Token', issued.token.value.id), secret: issued.secret ?? '' };
};
const editor = await issue(SCOPES);
const doomed: Started['doomed'][number][] = [];
while (doomed.length < tokens) doomed.push(await issue(['cache:read']));
const server = await startServer({
  host: '127.0.0.1',
  port: 0,
  portIsExplicit: true,
  schema,
  contextOf,
  codedError,
  traceOf,
  readiness,
  allowances,
  standingOf,
  logger,
  production: true,
});
process.on('message', (message) => {
  if (message === 'close')
    void server
      .close()
      .then(gateway.close)
      .then(() => process.exit(0));
});
process.on('disconnect', () => process.exit(1));
process.send?.({ url: server.url, editor: editor.secret, doomed } satisfies Started);
