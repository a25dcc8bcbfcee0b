// The secrets of a development start: made once, kept in the home folder, readable by its owner alone.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { HomeUnusable } from './errors.js';
import { makeHome } from './home.js';
import { createPrivateFile, readFileIfAny } from './private-file.js';

export type SecretName = 'token-pepper' | 'master-key';

/** The secret `name` of this home, 32 random bytes as 64 hex digits; every process that asks gets the same one. */
export async function loadOrCreateSecret(home: string, name: SecretName): Promise<string> {
  await makeHome(home);
  const path = join(home, name);
  const secret = (await readFileIfAny(path)) ?? (await create(path));
  if (/^[0-9a-f]{64}\n?$/.test(secret)) return secret.trim();
  throw new HomeUnusable(path, `${path} must hold 64 hex digits. Restore it; what it protects cannot be read without.`);
}

async function create(path: string): Promise<string> {
  const secret = randomBytes(32).toString('hex');
  if (await createPrivateFile(path, `${secret}\n`)) return secret;
  return (await readFileIfAny(path)) ?? ''; // another process was first
}
