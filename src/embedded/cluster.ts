// The files of the embedded Postgres: one cluster, UTF-8 whatever the machine's locale, with one database "espelho".
// A cluster is made beside its place and renamed when whole, so a start that is killed on the way leaves none behind.

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Binaries, programIn } from './binaries.js';
import { HomeUnusable } from './errors.js';
import { giveTo, makeServerFolder, type Place } from './home.js';
import { readFileIfAny } from './private-file.js';
import { commandOf } from './process.js';
import { runToEnd } from './supervise.js';

export type Cluster = {
  readonly data: string;
  /** Of the superuser "espelho". */
  readonly password: string;
};

const initMs = 120_000; // seconds on any disk we know; this bound is for one that hangs
const predecessorMs = 20_000;

/**
 * The cluster of this place, made if there is none; no server runs on it when this resolves.
 * Call it only while holding the home.
 * @throws {HomeUnusable} when another Postgres version made it, or its former server does not end.
 */
export async function openCluster(place: Place, binaries: Binaries): Promise<Cluster> {
  const folder = join(place.folder, 'postgres');
  if (!existsSync(folder)) await create(place, binaries, folder);
  const data = join(folder, 'data');
  await checkVersion(data, binaries);
  await awaitPredecessor(data);
  return { data, password: await readFile(join(folder, 'password'), 'utf8') };
}

async function create(place: Place, binaries: Binaries, folder: string): Promise<void> {
  await rm(`${folder}.new`, { recursive: true, force: true, maxRetries: 20 }); // what a killed start left
  const draft = await makeServerFolder(place, 'postgres.new');
  const data = join(draft, 'data');
  const passwordFile = join(draft, 'password');
  await writeFile(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 });
  await giveTo(place.user, passwordFile);
  const common = { folder: draft, user: place.user };
  await runToEnd(
    {
      ...common,
      program: programIn(binaries, 'initdb'),
      args: [
        `--pgdata=${data}`,
        '--username=espelho',
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--no-locale',
        '--locale-provider=builtin', // byte order as with C, but lower('Ã') = 'ã'
        '--builtin-locale=C.UTF-8',
        '--no-instructions',
      ],
      stopSignal: 'TERM',
    },
    initMs,
  );
  await runToEnd(
    {
      ...common,
      program: programIn(binaries, 'postgres'),
      args: ['--single', '-D', data, '-c', 'exit_on_error=on', 'postgres'],
      stopSignal: 'TERM',
      input: "CREATE DATABASE espelho TEMPLATE template0 ENCODING 'UTF8';\n",
    },
    initMs,
  );
  await rename(draft, folder);
}

async function checkVersion(data: string, binaries: Binaries): Promise<void> {
  const major = (await readFileIfAny(join(data, 'PG_VERSION')))?.trim() ?? 'no';
  if (binaries.version.split('.')[0] === major) return;
  const sentence =
    `${data} was made by Postgres ${major}, and this is Postgres ${binaries.version}. ` +
    'Dump it with the older version, or move the folder away to start with an empty database.';
  throw new HomeUnusable(data, sentence);
}

// A start that was killed leaves postmaster.pid. Three cases:
// - its server is still shutting down: wait for it;
// - its pid is dead: Postgres sees that by itself, and also looks for orphaned backends, so the file must stay;
// - its pid now belongs to another process: Postgres could take that for a server, so the file must go.
async function awaitPredecessor(data: string): Promise<void> {
  const file = join(data, 'postmaster.pid');
  const startedMs = performance.now();
  for (;;) {
    const pid = Number((await readFileIfAny(file))?.split('\n')[0]);
    const command = pid > 0 ? commandOf(pid) : undefined;
    if (!command) return;
    if (!command.includes(data)) return rm(file, { force: true });
    if (performance.now() - startedMs > predecessorMs) {
      throw new HomeUnusable(
        data,
        `A former Postgres (process ${pid}) still runs on ${data}. Stop it: kill -INT ${pid}.`,
      );
    }
    await sleep(50);
  }
}
