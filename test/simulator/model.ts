// The model tier: Redis and Postgres as objects of this process, made anew for each schedule.
import { ModelSite } from './model-site.js';
import { ModelSql } from './model-sql.js';
import type { Servers, Wanted } from './servers.js';
import { placeOf } from './views.js';

/** Servers that are models. */
export function modelTier({ scheduler, dice, partitions, sites, committed, opened }: Wanted): Servers {
  let lives = 0;
  const nextIncarnation = () => `life${++lives}`;
  const nowMs = () => scheduler.nowMs;
  return {
    sites: Array.from({ length: sites }, (_, at) => new ModelSite(`redis${at}`, nowMs, nextIncarnation)),
    sql: new ModelSql(scheduler, dice, (view, key) => placeOf(view, key, partitions), committed, opened),
    close: async () => {},
  };
}
