// What operators hear of a gateway's health.
import type { Cache } from './cache/index.js';
import type { Query } from './db/index.js';
import { countLocked, type Services } from './resolvers/index.js';

/** Where a gateway tells of its health; its facts are never secrets. */
export type GatewayLog = Readonly<Record<'info' | 'error', (facts: object, sentence: string) => void>>;

/** Says what operators must hear, and says it once for as long as it lasts. */
export function tellOfTrouble(cache: Cache<Query>, logger: GatewayLog): void {
  let lastFailure: string | undefined;
  cache.events.on((event) => {
    if (event.kind === 'distrusted') {
      logger.error({ partitions: event.partitions.length }, `cache in doubt, reading SQL: ${event.reason}`);
    } else if (event.kind === 'trusted') {
      lastFailure = undefined;
      logger.info({ partitions: event.partitions.length }, 'cache trusted');
    } else if (event.kind === 'failing') {
      const again = event.part === 'standing' ? '' : ' and is tried again';
      const failure = `${event.part} fails${again}: ${sentencesOf(event.error)}`;
      if (failure !== lastFailure) logger.error({}, failure);
      lastFailure = failure;
    } else if (event.kind === 'mismatch') {
      const { view, key, storeVersion, sqlVersion } = event;
      logger.error({ view, key, storeVersion, sqlVersion }, 'the cache held what SQL contradicts; it is dropped');
    }
  });
}

/** Said at the start: who reveals such a secret learns only that it went wrong. */
export async function tellOfLockedSecrets({ query, masterKey }: Services, logger: GatewayLog): Promise<void> {
  const locked = await countLocked(query, masterKey).catch(() => 0);
  if (locked === 0) return;
  logger.error(
    { versions: locked },
    'secrets are stored under a master key that this gateway does not have: set it as ESPELHO_MASTER_KEY_OLD, or as ESPELHO_MASTER_KEY if it is the one to use',
  );
}

/** The error's own words and those of its causes; none of them repeats a statement's parameters. */
function sentencesOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return error.cause === undefined ? error.message : `${error.message} (${sentencesOf(error.cause)})`;
}
