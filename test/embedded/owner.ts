// A process that runs the servers of the home in its first argument until SIGTERM, or until something worse.

import { openEmbedded } from '../../src/embedded/index.js';

const servers = await openEmbedded(process.argv[2] ?? '', { redis: true });
const redisUrl = servers.redis.kind === 'running' ? servers.redis.url : undefined;
console.log(JSON.stringify({ databaseUrl: servers.databaseUrl, redisUrl, data: servers.where.data }));

const stayAlive = setInterval(() => undefined, 60_000);
process.once('SIGTERM', async () => {
  await servers.close();
  clearInterval(stayAlive);
});
