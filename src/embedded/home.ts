// Where a development start keeps its files. The home folder holds the lock, the secrets and, where their user can
// reach it, the servers' data; data that root's servers could not reach there live below /var/lib/espelho.

import { createHash, randomBytes } from 'node:crypto';
import { access, chmod, chown, constants, mkdir, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HomeUnusable, hasCode } from './errors.js';
import { createPrivateFile, readFileIfAny } from './private-file.js';
import { isRoot, mayEnter, type ServerUser, serverUser } from './user.js';

export type Place = {
  /** Holds one folder per server. */
  readonly folder: string;
  /** Where copies of server programs may be put. */
  readonly programs: string;
  /** Whom the servers run as; undefined means as ourselves. */
  readonly user: ServerUser | undefined;
};

const shared = '/var/lib/espelho';

/**
 * Creates the home folder unless it is there. A folder that exists keeps its mode.
 * @throws {HomeUnusable} when we may not create it, or not write in it.
 */
export async function makeHome(home: string): Promise<void> {
  try {
    await mkdir(dirname(home), { recursive: true });
    // Root's servers pass through the home to their own folder: they may enter it, but not look around.
    if (await mkdir(home, { recursive: true })) await chmod(home, isRoot() ? 0o711 : 0o700);
    await access(home, constants.W_OK | constants.X_OK);
  } catch (error) {
    const sentence = `${home} cannot be written. Set ESPELHO_HOME to a folder of your own, or start as its owner.`;
    throw new HomeUnusable(home, sentence, { cause: error });
  }
}

/**
 * Decides where the servers of `home` keep their data and whom they run as: where they are if there are any.
 * @throws {HomeUnusable} when their owner can no longer reach them, or there is no place for them.
 */
export async function findPlace(home: string): Promise<Place> {
  const path = await realpath(home);
  const inside = await ownerOf(join(path, 'postgres'));
  if (!isRoot()) {
    if (inside && inside.uid !== process.getuid?.()) throw belongsToAnother(path);
    return { folder: path, programs: path, user: undefined };
  }
  const outside = await outsideOf(path);
  const owner = inside ?? (await ownerOf(join(outside, 'postgres')));
  const user = await serverUser(owner);
  if (inside || !owner) {
    if (mayEnter(user, path)) return { folder: path, programs: shared, user };
    if (inside) throw outOfReach(path, user);
  }
  await makeOutside(outside, path);
  return { folder: outside, programs: shared, user };
}

/** Creates the folder `name` of a place, which its servers alone may enter. */
export async function makeServerFolder(place: Place, name: string): Promise<string> {
  const folder = join(place.folder, name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await giveTo(place.user, folder);
  return folder;
}

/** Makes `path` the servers' own. */
export async function giveTo(user: ServerUser | undefined, path: string): Promise<void> {
  if (user) await chown(path, user.uid, user.gid);
}

// Named after the home's path and a mark in it: a home that is removed and made anew, or copied, gets new data, as it
// would if they lay inside. Their secrets are made anew then, too.
async function outsideOf(path: string): Promise<string> {
  const file = join(path, 'mark');
  await createPrivateFile(file, randomBytes(16).toString('hex'));
  const mark = await readFileIfAny(file);
  return join(shared, createHash('sha256').update(`${path}\0${mark}`).digest('hex').slice(0, 16));
}

async function makeOutside(outside: string, home: string): Promise<void> {
  try {
    await mkdir(outside, { recursive: true });
    for (const folder of [shared, outside]) await chmod(folder, 0o755);
    await writeFile(join(outside, 'home'), `${home}\n`); // tells an administrator whose data these are
  } catch (error) {
    const sentence = `${outside} cannot be written. Set ESPELHO_HOME to a folder that the user postgres may enter.`;
    throw new HomeUnusable(outside, sentence, { cause: error });
  }
}

async function ownerOf(folder: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { uid, gid } = await stat(folder);
    return { uid, gid };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function belongsToAnother(home: string): HomeUnusable {
  return new HomeUnusable(home, `The data in ${home} belong to another user. Start as that user, or set ESPELHO_HOME.`);
}

function outOfReach(home: string, user: ServerUser): HomeUnusable {
  const sentence = `${user.name} owns the data in ${home} but may not enter it. Open the folders above it (chmod o+x).`;
  return new HomeUnusable(home, sentence);
}
