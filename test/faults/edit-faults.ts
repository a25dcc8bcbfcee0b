// What psql does to many rows at once: every menu is taken away and copied back, with other labels, in one transaction.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { checkedKey } from './domain.js';
import { menus } from './domain-menu.js';
import type { Fault } from './fault.js';
import { endEdit, isCovered } from './traffic.js';

export const editFaults: readonly Fault[] = [
  {
    kind: 'truncate-and-copy',
    touches: 'data',
    strike: async ({ site, checker, serial }) => {
      const keys = menus.batches.flat();
      const values = keys.map(() => String(serial()));
      const writes = keys.map((key, at) => checker.beginWrite(checkedKey(menus, key), values[at] ?? '', 'edit'));
      const ids = keys.map(() => crypto.randomUUID());
      const sql = site.postgres.psql;
      let versions: ReadonlyMap<string, number>;
      try {
        versions = await sql.begin(async (tx) => {
          await tx`TRUNCATE menus CASCADE`;
          const rows = (cells: (at: number) => string[]) => keys.map((_, at) => `${cells(at).join('\t')}\n`).join('');
          const intoMenus = await tx`COPY menus (id, key, locale, title) FROM STDIN`.writable();
          await pipeline(Readable.from(rows((at) => [ids[at] ?? '', keys[at] ?? '', 'en', 'copied'])), intoMenus);
          const intoItems = await tx`COPY menu_items (menu_id, key, position, label) FROM STDIN`.writable();
          await pipeline(Readable.from(rows((at) => [ids[at] ?? '', 'i', '0', values[at] ?? ''])), intoItems);
          const found = await tx<
            { key: string; version: string }[]
          >`SELECT key, version FROM entry WHERE view = 'menu'`;
          return new Map(found.map(({ key, version }) => [key, Number(version)]));
        });
      } catch (error) {
        for (const write of writes) endEdit(write, error);
        return false;
      }
      const covered = await isCovered(sql);
      for (const [at, write] of writes.entries()) {
        write.acknowledge(versions.get(menus.entry(keys[at] ?? '').key) ?? 0, covered);
      }
      return true;
    },
  },
];
