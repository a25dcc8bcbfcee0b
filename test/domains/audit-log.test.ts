// The audit log proves itself: what psql does to it shows.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { auditSigner, type Connection, connect, findChanges, insertChange, insertChanges } from '../../src/db/index.js';
import { AuditSealer, verifyAuditLog } from '../../src/resolvers/index.js';
import { espelho } from '../cli/terminal.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const KEY = 'a key of the audit log, for tests alone';
const signer = auditSigner(KEY);

let database: TestDatabase;
let connection: Connection;
beforeAll(async () => {
  database = await createDatabase();
  connection = connect({ url: database.url, signer });
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

let told: { facts: object; sentence: string }[] = [];
let sealer: AuditSealer;
beforeEach(async () => {
  await database.psql`TRUNCATE changes, audit_seals RESTART IDENTITY`;
  told = [];
  sealer = newSealer();
});

function newSealer(by = signer): AuditSealer {
  const tell = (facts: object, sentence: string) => void told.push({ facts, sentence });
  const { db, query } = connection;
  return new AuditSealer({ db, query, signer: by, now: Date.now, logger: { info: tell, error: tell } });
}

const change = (key: string) => ({
  id: randomUUID(),
  actor: 'ana',
  action: 'renameMenuItem',
  domain: 'MENU' as const,
  key,
  reason: 'Ünïcode, and "quotes"',
  before: { z: 1, a: [1.5, 1e21, null, { y: 'b', b: -0 }] },
  after: 'text',
});

const write = (...keys: string[]) =>
  connection.db.transaction(async (tx) => {
    for (const key of keys) await insertChange(tx, change(key));
  });

/** Three changes under one seal, and three under the next. */
async function fill(): Promise<void> {
  await write('1', '2', '3');
  await sealer.round();
  await write('4', '5', '6');
  await sealer.round();
}

const verify = (head?: string, signers = [signer]) => {
  const [number = '', tag = ''] = head?.split(':') ?? [];
  return verifyAuditLog({ query: connection.query, signers, head: head === undefined ? undefined : { number, tag } });
};

const faultsOf = async (...args: Parameters<typeof verify>) =>
  (await verify(...args)).faults.map(({ kind, at }) => `${kind} ${at}`);

describe('a log that nobody has touched', () => {
  it('is as it was written, under as many seals as there were rounds', async () => {
    await fill();
    expect(await verify()).toMatchObject({ sealed: 6, seals: 2, unsealed: 0, faults: [] });
  });

  it('counts what is not sealed yet', async () => {
    await fill();
    await write('7');
    expect(await verify()).toMatchObject({ sealed: 6, unsealed: 1, faults: [] });
  });

  it('may hold changes from before there were digests, and none that came without one later', async () => {
    await database.psql`INSERT INTO changes (id, actor, action, domain, key) VALUES (${randomUUID()}, 'a', 'b', 'MENU', 'old')`;
    await fill();
    expect(await faultsOf()).toEqual([]);
    await database.psql`INSERT INTO changes (id, actor, action, domain, key) VALUES (${randomUUID()}, 'a', 'b', 'MENU', 'forged')`;
    expect(await faultsOf()).toEqual(['unsigned 8']);
    await sealer.round();
    expect(await faultsOf()).toEqual(['unsigned 8']);
  });

  it('takes more changes than fit under one seal', async () => {
    const rows = Array.from({ length: 2_500 }, (_, at) => change(String(at)));
    for (let from = 0; from < rows.length; from += 500) {
      await connection.db.transaction((tx) => insertChanges(tx, rows.slice(from, from + 500)));
    }
    await sealer.round();
    expect(await verify()).toMatchObject({ sealed: 2_500, seals: 3, unsealed: 0, faults: [] });
  });
});

describe('what psql does to the log shows:', () => {
  const edits: Record<string, (psql: TestDatabase['psql']) => Promise<unknown>> = {
    actor: (psql) => psql`UPDATE changes SET actor = 'eva' WHERE sequence = 2`,
    action: (psql) => psql`UPDATE changes SET action = 'x' WHERE sequence = 2`,
    domain: (psql) => psql`UPDATE changes SET domain = 'FLAG' WHERE sequence = 2`,
    key: (psql) => psql`UPDATE changes SET key = 'x' WHERE sequence = 2`,
    reason: (psql) => psql`UPDATE changes SET reason = NULL WHERE sequence = 2`,
    before: (psql) => psql`UPDATE changes SET before = jsonb_set(before, '{a,3,y}', '"c"') WHERE sequence = 2`,
    after: (psql) => psql`UPDATE changes SET after = NULL WHERE sequence = 2`,
    'point in time': (psql) => psql`UPDATE changes SET at = at - interval '1 microsecond' WHERE sequence = 2`,
    id: (psql) => psql`UPDATE changes SET id = gen_random_uuid() WHERE sequence = 2`,
    digest: (psql) => psql`UPDATE changes SET tag = NULL WHERE sequence = 5`,
  };
  for (const [what, edit] of Object.entries(edits)) {
    it(`another ${what}`, async () => {
      await fill();
      await edit(database.psql);
      expect(await faultsOf()).toEqual([what === 'digest' ? 'unsigned 5' : 'edited 2']);
    });
  }

  it('a row deleted, in the middle and at the end', async () => {
    await fill();
    await database.psql`DELETE FROM changes WHERE sequence IN (2, 6)`;
    expect(await faultsOf()).toEqual(['deleted 2', 'deleted 6']);
  });

  it('two rows in each other’s place', async () => {
    await fill();
    await database.psql`UPDATE changes SET sequence = 99 WHERE sequence = 2`;
    await database.psql`UPDATE changes SET sequence = 2 WHERE sequence = 4`;
    await database.psql`UPDATE changes SET sequence = 4 WHERE sequence = 99`;
    expect(await faultsOf()).toEqual(['edited 2', 'edited 4']);
  });

  it('a row moved behind the sealed ones, and one put among them', async () => {
    await fill();
    await database.psql`UPDATE changes SET sequence = 99 WHERE sequence = 2`;
    expect(await faultsOf()).toEqual(['deleted 2']);
    await database.psql`UPDATE changes SET sequence = 99 + sequence`;
    await database.psql`INSERT INTO changes (id, sequence, actor, action, domain, key)
      VALUES (${randomUUID()}, 3, 'a', 'b', 'MENU', 'forged')`;
    expect(await faultsOf()).toContain('edited 3');
  });

  it('a row put into a gap that a transaction left which was rolled back', async () => {
    await write('1');
    await connection.db
      .transaction(async (tx) => {
        await insertChange(tx, change('never'));
        throw new Error('rolled back');
      })
      .catch(() => {});
    await write('3');
    await sealer.round();
    expect(await faultsOf()).toEqual([]);
    await database.psql`INSERT INTO changes SELECT gen_random_uuid(), 2, at, actor, action, domain, key, reason, before, after, tag
      FROM changes WHERE sequence = 3`;
    expect(await faultsOf()).toEqual(['added 2']);
  });

  it('an edit before it was sealed', async () => {
    await fill();
    await write('7');
    await database.psql`UPDATE changes SET actor = 'eva' WHERE sequence = 7`;
    expect(await faultsOf()).toEqual(['edited 7']);
    await sealer.round();
    expect(await faultsOf()).toEqual(['edited 7']);
  });

  it('a seal edited, deleted, and signed by somebody without the key', async () => {
    await fill();
    await database.psql`UPDATE audit_seals SET sequences = '4,5' WHERE number = 2`;
    expect(await faultsOf()).toContain('seal-edited 2');
    await database.psql`DELETE FROM audit_seals WHERE number = 1`;
    expect(await faultsOf()).toContain('seal-missing 1');
    await database.psql`DELETE FROM audit_seals`;
    await newSealer(auditSigner('another key, of somebody who has only the database')).round();
    expect(await faultsOf()).toContain('foreign-key 1');
  });

  it('the end cut off, seals and all, against a head kept elsewhere', async () => {
    await fill();
    const { head } = await verify();
    await write('7');
    await sealer.round();
    expect(await faultsOf(head)).toEqual([]);
    await database.psql`DELETE FROM changes WHERE sequence > 3`;
    await database.psql`DELETE FROM audit_seals WHERE number > 1`;
    expect(await faultsOf()).toEqual([]);
    expect(await faultsOf(head)).toEqual(['cut-off 2']);
    await write('8');
    await newSealer().round();
    expect(await faultsOf(head)).toEqual(['cut-off 2']);
  });

  it('the end cut off, to a gateway that has seen it: it says so in its log', async () => {
    await fill();
    await database.psql`DELETE FROM audit_seals WHERE number > 1`;
    await sealer.round();
    expect(told.at(-1)?.sentence).toMatch(/the audit log has lost its end/);
  });
});

it('is listed the newest first, past the ninth change and the ninety-ninth', async () => {
  const keys = Array.from({ length: 101 }, (_, at) => String(at + 1));
  await write(...keys);
  const everything = { domain: undefined, key: undefined };
  const listed = await findChanges(connection.query, everything, undefined, 200);
  expect(listed.map(({ key }) => key)).toEqual(keys.toReversed());
  expect((await findChanges(connection.query, everything, '100', 1))[0]?.key).toBe('99');
});

describe('writers and sealers', () => {
  it('seals nothing past a transaction that may still add a change before it, and everything once it has ended', async () => {
    await write('1');
    let commit = () => {};
    const slow = database.psql.begin(async (tx) => {
      await tx`INSERT INTO changes (id, actor, action, domain, key) VALUES (${randomUUID()}, 'psql', 'b', 'MENU', 'slow')`;
      await new Promise<void>((resolve) => {
        commit = resolve;
        opened();
      });
    });
    await new Promise<void>((resolve) => {
      opened = resolve;
    });
    await write('3');
    await sealer.round();
    expect(await verify()).toMatchObject({ seals: 0, unsealed: 2 });
    commit();
    await slow;
    await sealer.round();
    expect(await verify()).toMatchObject({ seals: 1, sealed: 3, unsealed: 0 });
  });
  let opened = () => {};

  it('holds however many write while two gateways seal', async () => {
    const others = [sealer, newSealer()];
    let writing = true;
    const writers = Promise.all(
      Array.from({ length: 6 }, async (_, writer) => {
        for (let n = 0; n < 30; n++) await write(`${writer}/${n}`, `${writer}/${n}/b`);
      }),
    ).finally(() => {
      writing = false;
    });
    const sealers = Promise.all(
      others.map(async (each) => {
        while (writing) await each.round();
      }),
    );
    await Promise.all([writers, sealers]);
    for (const each of others) for (let n = 0; n < 2; n++) await each.round();
    const report = await verify();
    expect(report).toMatchObject({ sealed: 360, unsealed: 0, faults: [] });
    expect(report.seals).toBeGreaterThan(0);
  });
});

describe('espelho audit verify', () => {
  const env = () => ({ DATABASE_URL: database.url, ESPELHO_AUDIT_KEY: KEY });

  it('exits with 0 and the head, and with 1 once anything was changed', async () => {
    await fill();
    const good = await espelho(env(), 'audit', 'verify');
    expect(good).toMatchObject({ code: 0, err: '' });
    expect(good.out).toMatch(/^6 changes under 2 seals: as they were written\.\nhead 2:[0-9a-f]{64}\n/);
    const [, head = ''] = /head (\S+)/.exec(good.out) ?? [];
    expect(await espelho(env(), 'audit', 'verify', '--head', head)).toMatchObject({ code: 0 });
    await database.psql`DELETE FROM changes WHERE sequence = 2`;
    const bad = await espelho(env(), 'audit', 'verify');
    expect(bad.code).toBe(1);
    expect(bad.out).toMatch(/^Change 2 was deleted, or moved elsewhere; seal 1 vouches that it was there\.\n/);
  });

  it('reads what the key before has sealed, and says what to set where it does not know it', async () => {
    await fill();
    const next = auditSigner('the next key of the audit log, for tests');
    await connection.db.transaction((tx) => insertChange(tx, change('7')));
    await newSealer(next).round();
    expect(await faultsOf(undefined, [next, signer])).toEqual([]);
    const changed = { ...env(), ESPELHO_AUDIT_KEY: 'the next key of the audit log, for tests' };
    const { code, out } = await espelho(changed, 'audit', 'verify');
    expect(code).toBe(1);
    expect(out).toMatch(/Seal 1 was made with another key .* set ESPELHO_AUDIT_KEY_OLD to the one before/);
    expect(await espelho({ ...changed, ESPELHO_AUDIT_KEY_OLD: KEY }, 'audit', 'verify')).toMatchObject({ code: 0 });
  });

  it('asks for a head in its form, and in production for the key', async () => {
    expect(await espelho(env(), 'audit', 'verify', '--head', 'x')).toMatchObject({ code: 2 });
    const keyless = { DATABASE_URL: database.url, NODE_ENV: 'production' };
    const { code, err } = await espelho(keyless, 'audit', 'verify');
    expect(code).toBe(2);
    expect(err).toMatch(/^ESPELHO_TOKEN_PEPPER, or ESPELHO_AUDIT_KEY .* must be set/);
  });
});
