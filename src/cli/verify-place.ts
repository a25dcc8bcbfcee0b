// Where a command finds the entries of the gateways: in a Redis that it can look into itself, or in the process of a gateway
// that runs on this home and can be asked.

import { attachEmbedded } from '../embedded/index.js';
import { commandConfig } from './database.js';

export type Place =
  | { readonly kind: 'redis'; readonly databaseUrl: string; readonly redisUrl: string }
  | {
      readonly kind: 'gateway';
      readonly databaseUrl: string;
      readonly gatewayUrl: string;
      readonly control: string | undefined;
    };

/** Undefined where neither is known. */
export async function findPlace(env: NodeJS.ProcessEnv): Promise<Place | undefined> {
  const config = commandConfig(env);
  const running = config.databaseUrl === undefined ? await attachEmbedded(config.home) : undefined;
  const databaseUrl = config.databaseUrl ?? running?.databaseUrl;
  const redisUrl = running?.redisUrl ?? config.redisUrl;
  if (databaseUrl === undefined) return undefined;
  if (redisUrl !== undefined && (config.databaseUrl !== undefined || running?.gatewayUrl !== undefined)) {
    return { kind: 'redis', databaseUrl, redisUrl };
  }
  if (running?.gatewayUrl === undefined) return undefined;
  return { kind: 'gateway', databaseUrl, gatewayUrl: running.gatewayUrl, control: running.control };
}
