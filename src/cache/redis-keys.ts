// Names of keys. All keys of a partition share one hash tag, so that a cluster keeps them on one master.

export type RedisKeys = ReturnType<typeof redisKeys>;

/** `installation` is part of every key, so that databases may share a Redis. */
export function redisKeys(installation: string) {
  const tag = (partition: number) => `{${installation}.${partition}}`;
  return {
    tag,
    meta: (partition: number) => `${tag(partition)}m`,
    fences: (partition: number) => `${tag(partition)}f`,
    /** Entry and members of each. */
    entries: (partition: number, items: readonly { readonly view: string; readonly key: string }[]) => {
      const own = tag(partition);
      const names: string[] = [];
      for (const { view, key } of items) names.push(`${own}e:${view}:${key}`, `${own}d:${view}:${key}`);
      return names;
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
