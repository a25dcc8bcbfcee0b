// Names of keys. All keys of a partition share one hash tag, so that a cluster keeps them on one master.
import type { EntryRef } from './view.js';

export type RedisKeys = ReturnType<typeof redisKeys>;

/** `installation` is part of every key, so that databases may share a Redis. */
export function redisKeys(installation: string) {
  const tag = ofPartition((partition) => `{${installation}.${partition}}`);
  const entryNames = ofPartition((partition) => {
    const before = `${tag(partition)}e:`;
    return ({ view, key }: EntryRef) => `${before}${view}:${key}`;
  });
  return {
    tag,
    meta: ofPartition((partition) => `${tag(partition)}m`),
    fences: (partition: number) => `${tag(partition)}f`,
    entryNames,
    /** Entry and members of each. */
    entries: (partition: number, items: readonly EntryRef[]) => {
      const nameOf = entryNames(partition);
      const membersBefore = `${tag(partition)}d:`;
      return items.flatMap((item) => [nameOf(item), `${membersBefore}${item.view}:${item.key}`]);
    },
    allowance: (partition: number, key: string) => `${tag(partition)}a:${key}`,
    /** Where members are put aside; `name` is nobody else's. */
    staged: (partition: number, name: string) => `${tag(partition)}s:${name}`,
    /** View and key of an entry's name. */
    parse: (name: string) => {
      const [, view = '', key = ''] = /^\{[^}]*\}e:([^:]*):(.*)$/s.exec(name) ?? [];
      return { view, key };
    },
  };
}

/** What `make` makes of a partition, once. */
function ofPartition<Made>(make: (partition: number) => Made): (partition: number) => Made {
  const made: Made[] = [];
  return (partition) => (made[partition] ??= make(partition));
}
