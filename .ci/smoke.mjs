// Starts the gateway as the README says, twice: it answers, keeps what was written, and leaves no process behind, neither
// after SIGTERM nor after Ctrl-C. Needs a clone without a .espelho folder.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { resolve } from 'node:path';

const home = resolve('.espelho');
const label = `Renamed at ${new Date().toISOString()}`;
const readyWithinMs = 60_000;
const stoppedWithinMs = 20_000;

assert(!existsSync(home), `${home} is there already: run this in a fresh clone, or remove it.`);
await run(
  'first start, ended by SIGTERM',
  (npm) => npm.kill('SIGTERM'),
  async (gateway) => {
    await answers(gateway);
    await writes(gateway);
  },
);
await run(
  'second start, ended by Ctrl-C',
  (npm) => process.kill(-npm.pid, 'SIGINT'),
  async (gateway) => {
    await answers(gateway);
    const { menu } = await query(gateway, '{ menu(key: "main") { flatItems { key label } } }');
    assert.equal(menu.flatItems.find(({ key }) => key === 'cards').label, label, 'what the first start wrote is there');
  },
);

async function run(title, end, check) {
  const startedMs = Date.now();
  const { PATH, HOME, USER } = process.env;
  const npm = spawn('npm', ['start'], {
    env: { PATH, HOME, USER },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(npm, 'exit');
  try {
    const gateway = await banner(npm);
    console.log(`${title}: ready at ${gateway.url} after ${Date.now() - startedMs} ms`);
    await check(gateway);
    const family = [npm.pid, ...descendants(npm.pid)];
    assert(family.length > 3, 'npm, the gateway and the servers of its own are running');
    end(npm);
    await within(stoppedWithinMs, exited, 'the gateway ends when told to');
    const left = [...family.filter(isRunning), ...usersOf(home)];
    assert.deepEqual(left.map(commandOf), [], 'no process is left behind');
    console.log(`${title}: ended with its ${family.length} processes`);
  } finally {
    if (npm.exitCode === null && npm.signalCode === null) process.kill(-npm.pid, 'SIGTERM');
  }
}

/** The address and the tokens that the gateway prints when it is ready. */
async function banner(npm) {
  let said = '';
  const ready = new Promise((resolve, reject) => {
    npm.stdout.on('data', (chunk) => {
      process.stdout.write(String(chunk).replace(/esp_\w+/g, 'esp_…'));
      said += chunk;
      if (/ready at \S+\/graphql/.test(said) && /token for operator: \S+\n/.test(said)) resolve();
    });
    npm.once('exit', (code) => reject(new Error(`npm start ended with ${code} before the gateway was ready`)));
  });
  await within(readyWithinMs, ready, 'the gateway gets ready');
  const [, url] = said.match(/ready at (\S+)\/graphql/);
  const tokens = Object.fromEntries(
    [...said.matchAll(/token for (\S+): (\S+)/g)].map(([, role, token]) => [role, token]),
  );
  return { url, tokens };
}

async function answers(gateway) {
  assert.equal((await fetch(`${gateway.url}/livez`)).status, 200);
  const readiness = await fetch(`${gateway.url}/readyz`);
  assert.deepEqual(await readiness.json(), { ready: true, postgres: 'up', cache: 'trusted' });
  const { menu } = await query(gateway, '{ menu(key: "main", locale: "pt-BR") { locale items { label } } }');
  assert.equal(menu.locale, 'pt-BR');
  assert(menu.items.length > 0);
}

async function writes(gateway) {
  const rename = `mutation($label: String!) {
    renameMenuItem(key: "main", item: "cards", label: $label) {
      __typename
      ... on RenameMenuItemPayload { receipt { visible } }
      ... on UserError { message }
    }
  }`;
  const { renameMenuItem } = await query(gateway, rename, { label }, gateway.tokens['back-office']);
  assert.deepEqual(renameMenuItem, { __typename: 'RenameMenuItemPayload', receipt: { visible: true } });
}

async function query({ url }, document, variables = {}, token = undefined) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query: document, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

async function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not within ${ms} ms: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function processes() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Reads a file or link of a process; undefined once it has ended. */
function ofProcess(pid, name, read) {
  try {
    return read(`/proc/${pid}/${name}`);
  } catch {
    return undefined;
  }
}

function readText(path) {
  return readFileSync(path, 'utf8');
}

/** The state and the parent of a process, as /proc tells them. */
function statOf(pid) {
  const fields = ofProcess(pid, 'stat', readText)
    ?.replace(/^.*\) /s, '')
    .split(' ');
  return { state: fields?.[0], parent: Number(fields?.[1]) };
}

function commandOf(pid) {
  return `${pid} ${ofProcess(pid, 'cmdline', readText)?.replaceAll('\0', ' ')}`;
}

function isRunning(pid) {
  return !['Z', undefined].includes(statOf(pid).state);
}

function descendants(pid) {
  const children = processes().filter((other) => statOf(other).parent === pid);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Processes that were started with this folder, or that work in it. */
function usersOf(folder) {
  const uses = (pid) =>
    ofProcess(pid, 'cwd', readlinkSync)?.startsWith(folder) || ofProcess(pid, 'cmdline', readText)?.includes(folder);
  return processes().filter((pid) => pid !== process.pid && isRunning(pid) && uses(pid));
}
