// What the engine relies on in any store. Both stores run it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FENCE_GRACE_MS, fenceOf, type Guard, LEASE_MS, RENEW_AFTER, type Store } from '../../src/cache/store.js';
import { eventually } from '../support/eventually.js';
import { type Drop, Partition, type Read, value } from './partition.js';

export interface StoreUnderTest {
  readonly store: Store;
  /** Lets `ms` pass for the entry `note:<key>`; where negative, what happened to it lies in the future. */
  readonly elapse: (partition: number, key: string, ms: number) => Promise<void>;
}

const LEASE: Read = { kind: 'lease', xids: [] };
const GONE_MS = 3_600_000;
/** Of a stamp, in which a generation may stand first. */
const versionOf = (version: string) => new RegExp(`^(?:\\d+:)?0*${version}:`);
/** More than any machine needs for one test. */
const AGES_MS = 600_000;

/** Runs the contract against the store that `open` gives. */
export function storeContract(open: () => Promise<StoreUnderTest>): void {
  let under: StoreUnderTest;
  let partitions = 0;
  let at: Partition;
  const elapse = (key: string, ms: number) => under.elapse(at.partition, key, ms);
  const begin = async () => Partition.begin(under.store, partitions++);
  /** Keeps the fences of an entry young until `graceIsOver`, however slow the machine is. */
  const keepYoung = (key: string, of = at) => under.elapse(of.partition, key, -AGES_MS);
  const graceIsOver = (key: string) => elapse(key, AGES_MS + FENCE_GRACE_MS + 1);

  beforeAll(async () => {
    under = await open();
    at = await begin();
  });
  afterAll(() => under.store.close());

  describe('a miss', () => {
    it('grants one lease, and tells a second reader that it is busy', async () => {
      expect(await at.read('miss', 't1')).toEqual(LEASE);
      expect(await at.read('miss', 't2')).toEqual({ kind: 'busy' });
    });

    it('grants another lease once the first has run out', async () => {
      await at.read('out', 't1');
      await elapse('out', LEASE_MS + 1);
      expect(await at.read('out', 't2')).toEqual(LEASE);
      expect(await at.fill('out', 't1', value())).toBe('refused');
      expect(await at.fill('out', 't2', value())).toBe('filled');
    });

    it('stores a fill under its token, and answers it with version, age and time of change', async () => {
      await at.read('fill', 't1');
      expect(await at.fill('fill', 't1', value({ json: '"a"', version: '7', changedAtMs: 1_234 }))).toBe('filled');
      const hit = await at.read('fill', 't2');
      expect(hit).toMatchObject({ kind: 'hit', value: '"a"', version: '7', changedAtMs: 1_234, members: [], count: 0 });
      expect(hit.kind === 'hit' && hit.ageMs).toBeGreaterThanOrEqual(0);
      expect(hit.kind === 'hit' && hit.ageMs).toBeLessThan(60_000);
    });

    it('refuses a fill without a token', async () => {
      expect(await at.fill('none', 't1', value())).toBe('refused');
      expect(await at.read('none', 't2')).toEqual(LEASE);
    });

    it('refuses a fill under a foreign token', async () => {
      await at.read('foreign', 't1');
      expect(await at.fill('foreign', 't2', value())).toBe('refused');
      expect(await at.fill('foreign', 't1', value())).toBe('filled');
    });

    it('refuses a second fill under the same token', async () => {
      await at.read('twice', 't1');
      await at.fill('twice', 't1', value({ json: '"a"' }));
      expect(await at.fill('twice', 't1', value({ json: '"b"' }))).toBe('refused');
      expect(await at.value('twice')).toBe('"a"');
    });

    it('tells with a hit how long a life the entry was given', async () => {
      await at.filled('life', value({ ttlMs: 45_000 }));
      expect(await at.read('life', 't1')).toMatchObject({ kind: 'hit', ttlMs: 45_000 });
      expect(await at.peek('life')).toMatchObject({ ttlMs: 45_000 });
    });

    it('keeps apart what is asked for at once', async () => {
      await at.filled('many1', value({ json: '"1"' }));
      const replies = await at.readAll(['many1', 'many2', 'many3']);
      expect(replies.map(({ kind }) => kind)).toEqual(['hit', 'lease', 'lease']);
    });
  });

  describe('the one token of an entry is taken away by', () => {
    const cases: Record<string, (key: string) => Promise<unknown>> = {
      'a drop': (key) => at.drop(key, { version: '5', xid: '900' }),
      'a lift': (key) => at.drop(key, { version: '0', xid: '900' }),
      'a fence': (key) => at.fence([key], '900', 'w'),
      'a publish under another token': (key) => at.publish(key, 'w', '900', value({ version: '5' })),
    };
    for (const [name, act] of Object.entries(cases)) {
      it(`${name}, so that a refill from before is refused`, async () => {
        const key = `token ${name}`;
        await at.read(key, 't1');
        await act(key);
        expect(await at.fill(key, 't1', value({ json: '"old"', version: '1' }))).toBe('refused');
      });
    }

    it('a drop, also where an older value stands in another format', async () => {
      await at.filled('formats-token', value({ field: 'value@1', version: '1' }));
      expect(await at.read('formats-token', 't1', { field: 'value@2' })).toEqual(LEASE);
      await at.drop('formats-token', { version: '2', xid: '901' });
      expect(await at.fill('formats-token', 't1', value({ field: 'value@2', version: '1' }))).toBe('refused');
    });

    it('a request that is carried out twice: what the first was granted does not come back', async () => {
      await at.read('twice read', 't1');
      const first = at.token('twice read', 't1');
      await at.drop('twice read', { version: '5', xid: '902' });
      await at.read('twice read', 't1');
      expect(await at.fill('twice read', first, value({ json: '"old"', version: '1' }))).toBe('refused');

      await at.fence(['twice fenced'], '903', 'w1');
      const item = { view: 'note', key: 'twice fenced', token: at.token('twice fenced', 'w1'), xid: '903', ...value() };
      await at.fence(['twice fenced'], '904', 'w2');
      await at.publish('twice fenced', 'w2', '904', value({ json: '"new"', version: '2' }));
      await at.fence(['twice fenced'], '903', 'w1');
      const late = await under.store.publish([{ ...at.where, items: [item] }]);
      expect(late).toEqual([{ kind: 'done', replies: ['dropped'] }]);
      expect(await at.value('twice fenced')).toBe('"new"');
    });

    it('nothing that is told late of the version that stands: the token was granted after it', async () => {
      await at.filled('late-drop', value({ version: '7' }));
      await at.fence(['late-drop'], '950', 'w1');
      await at.drop('late-drop', { version: '7', xid: '949' });
      expect(await at.publish('late-drop', 'w1', '950', value({ json: '"8"', version: '8' }))).toBe('published');
    });
  });

  describe('a fence', () => {
    it('hides the value while it is young, then names its transaction to one reader, who may refill', async () => {
      await at.filled('young', value());
      await at.fence(['young'], '10', 'w1');
      await keepYoung('young');
      expect(await at.read('young', 't1')).toEqual({ kind: 'fenced' });
      await graceIsOver('young');
      expect(await at.read('young', 't2')).toEqual({ kind: 'lease', xids: ['10'] });
    });

    it('sends readers to SQL, and lets none wait for one who may not be able to refill', async () => {
      await at.filled('slow', value());
      await at.fence(['slow'], '10', 'w1');
      await elapse('slow', FENCE_GRACE_MS + 1);
      await at.read('slow', 't1');
      expect(await at.read('slow', 't2')).toEqual({ kind: 'fenced' });
    });

    it('stands on an entry that holds nothing', async () => {
      await at.fence(['empty'], '11', 'w1');
      await keepYoung('empty');
      expect(await at.read('empty', 't1')).toEqual({ kind: 'fenced' });
      await at.drop('empty', { version: '0', xid: '11' });
      expect(await at.read('empty', 't2')).toEqual(LEASE);
    });

    it('outlives the time to live of what it hides', async () => {
      await at.filled('outlives', value({ ttlMs: 1_000 }));
      await at.fence(['outlives'], '12', 'w1');
      await elapse('outlives', GONE_MS);
      expect(await at.read('outlives', 't1')).toEqual({ kind: 'lease', xids: ['12'] });
    });

    it('of another transaction keeps hiding when one is lifted', async () => {
      await at.filled('two', value({ json: '"old"' }));
      await at.fence(['two'], '13', 'w1');
      await at.fence(['two'], '14', 'w2');
      await keepYoung('two');
      await at.drop('two', { version: '0', xid: '13' });
      expect(await at.read('two', 't1')).toEqual({ kind: 'fenced' });
      await at.drop('two', { version: '0', xid: '14' });
      expect(await at.value('two')).toBe('"old"');
    });

    it('is told from one of an earlier transaction of the same id', async () => {
      await at.filled('same id', value());
      await at.fence(['same id'], '112', 'w1');
      const fence = fenceOf('112', at.token('same id', 'w1'));
      await at.fence(['same id'], '112', 'w2');
      await keepYoung('same id');
      await at.drop('same id', { version: '0', xid: fence });
      expect(await at.read('same id', 't1')).toEqual({ kind: 'fenced' });
      await at.drop('same id', { version: '0', xid: '112' });
      expect((await at.read('same id', 't1')).kind).toBe('hit');
    });

    it('is told from one whose id it ends or begins with', async () => {
      await at.filled('digits', value());
      await at.fence(['digits'], '1', 'w1');
      await at.fence(['digits'], '11', 'w2');
      await at.fence(['digits'], '111', 'w3');
      await at.drop('digits', { version: '0', xid: '11' });
      await elapse('digits', FENCE_GRACE_MS + 1);
      expect(await at.read('digits', 't1')).toEqual({ kind: 'lease', xids: ['1', '111'] });
    });

    it('ends with a fill that was granted while it stood', async () => {
      await at.filled('ends', value({ json: '"old"', version: '1' }));
      await at.fence(['ends'], '15', 'w1');
      await elapse('ends', FENCE_GRACE_MS + 1);
      await at.read('ends', 't1');
      expect(await at.fill('ends', 't1', value({ json: '"new"', version: '2' }))).toBe('filled');
      expect(await at.value('ends')).toBe('"new"');
      expect(await at.fences()).not.toContain('ends');
    });

    it('covers several entries at once', async () => {
      await at.filled('several1', value());
      await at.fence(['several1', 'several2'], '16', 'w1');
      for (const key of ['several1', 'several2']) await keepYoung(key);
      const replies = await at.readAll(['several1', 'several2']);
      expect(replies).toEqual([{ kind: 'fenced' }, { kind: 'fenced' }]);
    });

    it('hides a known absence too', async () => {
      await at.filled('hidden-absence', value({ json: null }));
      await at.fence(['hidden-absence'], '17', 'w1');
      await keepYoung('hidden-absence');
      expect(await at.read('hidden-absence', 't1')).toEqual({ kind: 'fenced' });
    });
  });

  describe('a lift', () => {
    it('shows the old value again, with its time to live', async () => {
      await at.filled('lift', value({ json: '"old"', ttlMs: 60_000 }));
      await at.fence(['lift'], '20', 'w1');
      await at.drop('lift', { version: '0', xid: '20' });
      expect(await at.value('lift')).toBe('"old"');
      const { ttlMs = 0 } = await at.inspect('lift');
      expect(ttlMs).toBeGreaterThan(0);
      expect(ttlMs).toBeLessThanOrEqual(60_000);
      await elapse('lift', 60_001);
      expect(await at.read('lift', 't1')).toEqual(LEASE);
    });

    it('shows a list again, whole', async () => {
      await at.filled('lift-list', value({ members: ['"1"', '"2"'], ttlMs: 60_000 }));
      await at.fence(['lift-list'], '21', 'w1');
      await at.drop('lift-list', { version: '0', xid: '21' });
      expect(await at.page('lift-list', 0, -1)).toEqual(['"1"', '"2"']);
      await elapse('lift-list', 60_001);
      expect(await at.read('lift-list', 't1')).toEqual(LEASE);
    });

    it('of a transaction without a fence here leaves the value', async () => {
      await at.filled('no-fence', value({ json: '"a"' }));
      await at.drop('no-fence', { version: '0', xid: '22' });
      expect(await at.value('no-fence')).toBe('"a"');
    });
  });

  describe('a publish', () => {
    it('stores its value and ends the fence while its write token stands', async () => {
      await at.filled('own', value({ json: '"old"', version: '1' }));
      await at.fence(['own'], '30', 'w1');
      expect(await at.publish('own', 'w1', '30', value({ json: '"new"', version: '2' }))).toBe('published');
      expect(await at.read('own', 't1')).toMatchObject({ kind: 'hit', value: '"new"', version: '2' });
      expect(await at.fences()).not.toContain('own');
    });

    it('stores into an entry that held nothing before the fence', async () => {
      await at.fence(['own-empty'], '31', 'w1');
      expect(await at.publish('own-empty', 'w1', '31', value({ json: '"new"' }))).toBe('published');
      expect(await at.value('own-empty')).toBe('"new"');
    });

    it('stores an absence', async () => {
      await at.filled('own-absent', value({ json: '"old"', version: '1' }));
      await at.fence(['own-absent'], '32', 'w1');
      await at.publish('own-absent', 'w1', '32', value({ json: null, version: '2' }));
      expect(await at.value('own-absent')).toBe(null);
    });

    it('replaces a list as a whole, longer by shorter', async () => {
      await at.filled('own-list', value({ members: ['"1"', '"2"', '"3"'], version: '1' }));
      await at.fence(['own-list'], '33', 'w1');
      await at.publish('own-list', 'w1', '33', value({ members: ['"4"'], version: '2' }));
      expect(await at.page('own-list', 0, -1)).toEqual(['"4"']);
    });

    it('ends the fences of all writers before it', async () => {
      await at.fence(['chain'], '34', 'w1');
      await at.fence(['chain'], '35', 'w2');
      expect(await at.publish('chain', 'w2', '35', value({ json: '"b"', version: '2' }))).toBe('published');
      expect(await at.value('chain')).toBe('"b"');
    });

    it('without its token drops what is older, and stores nothing', async () => {
      await at.filled('older', value({ json: '"old"', version: '1' }));
      expect(await at.publish('older', 'w1', '36', value({ json: '"new"', version: '2' }))).toBe('dropped');
      expect(await at.read('older', 't1')).toEqual(LEASE);
    });

    it('without its token keeps what is newer', async () => {
      await at.filled('newer', value({ json: '"new"', version: '3' }));
      expect(await at.publish('newer', 'w1', '37', value({ json: '"old"', version: '2' }))).toBe('dropped');
      expect(await at.value('newer')).toBe('"new"');
    });

    it('without its token never stores into an empty entry', async () => {
      expect(await at.publish('no-token', 'w1', '38', value())).toBe('dropped');
      expect(await at.read('no-token', 't1')).toEqual(LEASE);
    });

    it('whose token a reader has taken lifts its own fence only', async () => {
      await at.fence(['taken'], '39', 'w1');
      await at.fence(['taken'], '40', 'w2');
      await elapse('taken', FENCE_GRACE_MS + 1);
      await at.read('taken', 't1');
      expect(await at.publish('taken', 'w1', '39', value())).toBe('dropped');
      expect(await at.read('taken', 't2')).toEqual({ kind: 'lease', xids: ['40'] });
    });
  });

  describe('a drop', () => {
    it('removes what is older and keeps what is as new', async () => {
      await at.filled('drop', value({ version: '5' }));
      await at.drop('drop', { version: '5', xid: '50' });
      expect((await at.read('drop', 't1')).kind).toBe('hit');
      await at.drop('drop', { version: '6', xid: '51' });
      expect(await at.read('drop', 't2')).toEqual(LEASE);
    });

    it('removes a known absence that is older', async () => {
      await at.filled('drop-absent', value({ json: null, version: '0' }));
      await at.drop('drop-absent', { version: '1', xid: '52' });
      expect(await at.read('drop-absent', 't1')).toEqual(LEASE);
    });

    it('removes the members of a list with it', async () => {
      await at.filled('drop-list', value({ members: ['"1"'], version: '1' }));
      await at.drop('drop-list', { version: '2', xid: '53' });
      await at.filled('drop-list', value({ members: [], version: '2' }));
      expect(await at.page('drop-list', 0, -1)).toEqual([]);
    });

    it('of an older value leaves the fences of other transactions', async () => {
      await at.filled('drop-fenced', value({ version: '1' }));
      await at.fence(['drop-fenced'], '54', 'w1');
      await keepYoung('drop-fenced');
      await at.drop('drop-fenced', { version: '2', xid: '55' });
      expect(await at.read('drop-fenced', 't1')).toEqual({ kind: 'fenced' });
      await elapse('drop-fenced', GONE_MS);
      expect(await at.read('drop-fenced', 't2')).toEqual({ kind: 'lease', xids: ['54'] });
    });

    it('gives a lease back, and beside a value nobody else’s', async () => {
      await at.filled('drop-lease', value({ version: '1' }));
      await at.fence(['drop-lease'], '59', 'w1');
      await elapse('drop-lease', GONE_MS);
      const leased = { kind: 'lease', xids: ['59'] };
      expect(await at.read('drop-lease', 't1')).toEqual(leased);
      expect(await at.read('drop-lease', 't2')).toEqual({ kind: 'fenced' });
      const giveBack = (token: string) =>
        at.drop('drop-lease', { version: '0', xid: '0', lease: at.token('drop-lease', token) });
      await giveBack('w1');
      expect(await at.read('drop-lease', 't2')).toEqual({ kind: 'fenced' });
      await giveBack('t1');
      expect(await at.read('drop-lease', 't2')).toEqual(leased);
      await giveBack('t1');
      expect(await at.fill('drop-lease', 't2', value({ version: '1' }))).toBe('filled');
      expect(await at.value('drop-lease')).toBe(value({ version: '1' }).value);
    });

    it('compares versions as 64-bit numbers', async () => {
      await at.filled('64', value({ version: '9' }));
      await at.drop('64', { version: '10', xid: '56' });
      expect(await at.read('64', 't1')).toEqual(LEASE);
      await at.filled('63', value({ version: '9223372036854775807' }));
      await at.drop('63', { version: '9223372036854775806', xid: '57' });
      expect(await at.read('63', 't1')).toMatchObject({ kind: 'hit', version: '9223372036854775807' });
    });

    it('answers for each of several entries', async () => {
      await at.filled('batch1', value({ version: '1' }));
      const drops: Drop[] = ['batch1', 'batch2', 'batch3'].map((key) => ({ key, version: '2', xid: '58' }));
      expect(await at.dropAll(drops)).toEqual(['dropped', 'dropped', 'dropped']);
    });
  });

  describe('a value', () => {
    it('that is known not to exist is a hit', async () => {
      await at.filled('absent', value({ json: null, version: '0' }));
      const hit = { kind: 'hit', value: null, version: '0', members: [], count: 0 };
      expect(await at.read('absent', 't1')).toMatchObject(hit);
      expect(await at.read('absent', 't2', { part: { kind: 'rows', first: 0, last: 9 } })).toMatchObject(hit);
    });

    it('of another format is a miss, and two formats of one version stand side by side', async () => {
      await at.filled('formats', value({ field: 'value@1', json: '"one"', version: '4' }));
      expect(await at.read('formats', 't1', { field: 'value@2' })).toEqual(LEASE);
      await at.fill('formats', 't1', value({ field: 'value@2', json: '"two"', version: '4' }));
      expect(await at.read('formats', 't2', { field: 'value@1' })).toMatchObject({ kind: 'hit', value: '"one"' });
      expect(await at.read('formats', 't3', { field: 'value@2' })).toMatchObject({ kind: 'hit', value: '"two"' });
    });

    it('of a newer version takes the other formats away', async () => {
      await at.filled('formats-new', value({ field: 'value@1', version: '4' }));
      await at.read('formats-new', 't1', { field: 'value@2' });
      await at.fill('formats-new', 't1', value({ field: 'value@2', version: '5' }));
      expect(await at.read('formats-new', 't2', { field: 'value@1' })).toEqual(LEASE);
    });

    it('that was absent in the same version is replaced by what a fill found', async () => {
      await at.filled('reborn', value({ field: 'value@1', json: null, version: '4' }));
      await at.fence(['reborn'], '60', 'w1');
      await at.publish('reborn', 'w1', '60', value({ field: 'value@1', json: '"born"', version: '4' }));
      expect(await at.value('reborn')).toBe('"born"');
    });

    it('comes back byte for byte', async () => {
      const json = JSON.stringify('ação "quoted" \\ \n \t ‰ 🏦 \u0000 \u2028 {[%s:%d]} \x7f');
      await at.filled('bytes', value({ json }));
      expect(await at.value('bytes')).toBe(json);
      const members = [json, '""', '{"a":[1,2]}', `"${'x'.repeat(70_000)}"`];
      await at.filled('byte-rows', value({ members }));
      expect(await at.page('byte-rows', 0, -1)).toEqual(members);
    });

    it('lives under any key', async () => {
      const keys = ['a:b:c', '{tag}', 'with space', 'ção', '\'quote"', 'e:note:x', '*', '%d', 'a\nb', ''];
      const here = await begin();
      for (const key of keys) await here.filled(key, value({ json: JSON.stringify(key) }));
      expect(await Promise.all(keys.map((key) => here.value(key)))).toEqual(keys.map((key) => JSON.stringify(key)));
      await here.fence(keys, '61', 'w1');
      await Promise.all(keys.map((key) => under.elapse(here.partition, key, 2_000)));
      expect([...(await here.fences())].sort()).toEqual([...keys].sort());
    });

    it('is a miss once its time to live is over', async () => {
      await at.filled('ttl', value({ ttlMs: 100_000 }));
      await elapse('ttl', 40_000);
      expect(await at.read('ttl', 't1')).toMatchObject({ kind: 'hit' });
      await elapse('ttl', 60_001);
      expect(await at.read('ttl', 't2')).toEqual(LEASE);
    });
  });

  describe('a list', () => {
    it('is read by page, counted whole', async () => {
      await at.filled('list', value({ members: ['"0"', '"1"', '"2"', '"3"', '"4"'] }));
      expect(await at.page('list', 0, 1)).toEqual(['"0"', '"1"']);
      expect(await at.page('list', 3, 9)).toEqual(['"3"', '"4"']);
      expect(await at.page('list', 2, -1)).toEqual(['"2"', '"3"', '"4"']);
      expect(await at.page('list', 5, 9)).toEqual([]);
      expect(await at.page('list', 3, 2)).toEqual([]);
      expect(await at.read('list', 't1', { part: { kind: 'rows', first: 4, last: 4 } })).toMatchObject({ count: 5 });
    });

    it('may be empty, which is not absent', async () => {
      await at.filled('no-rows', value({ json: '{}', members: [] }));
      expect(await at.read('no-rows', 't1', { part: { kind: 'rows', first: 0, last: 9 } })).toMatchObject({
        kind: 'hit',
        value: '{}',
        members: [],
        count: 0,
      });
    });

    it('of 3,000 rows is stored, paged, fenced and lifted like any other', async () => {
      const members = Array.from({ length: 3_000 }, (_, row) => JSON.stringify({ row }));
      await at.filled('long', value({ members }));
      expect(await at.page('long', 0, -1)).toEqual(members);
      expect(await at.page('long', 1_499, 1_501)).toEqual(members.slice(1_499, 1_502));
      await at.fence(['long'], '70', 'w1');
      await at.drop('long', { version: '0', xid: '70' });
      expect(await at.page('long', 2_999, -1)).toEqual(members.slice(-1));
    });

    it('in another format takes its members with it', async () => {
      await at.filled('list-formats', value({ field: 'value@1', members: ['"a"', '"b"'], version: '1' }));
      await at.read('list-formats', 't1', { field: 'value@2' });
      await at.fill('list-formats', 't1', value({ field: 'value@2', members: ['"c"'], version: '1' }));
      expect((await at.read('list-formats', 't2', { field: 'value@1' })).kind).toBe('lease');
      expect(await at.page('list-formats', 0, -1, 'value@2')).toEqual(['"c"']);
    });
  });

  describe('a hash', () => {
    const members = ['a', '"1"', 'b', '"2"', 'c', '"3"'];

    it('is read by one field, some or all, and says which are not there', async () => {
      await at.filled('hash', value({ shape: 'hash', members }));
      expect(await at.part('hash', { kind: 'fields', names: ['b'] })).toEqual({ members: ['"2"'], count: 3 });
      expect(await at.part('hash', { kind: 'fields', names: ['c', 'no', 'a'] })).toEqual({
        members: ['"3"', null, '"1"'],
        count: 3,
      });
      const { members: all } = await at.part('hash', { kind: 'all' });
      expect([...all].sort()).toEqual([...members].sort());
      expect(await at.part('hash', { kind: 'fields', names: [] })).toEqual({ members: [], count: 3 });
    });

    it('without fields is whole, not missing', async () => {
      await at.filled('hash-empty', value({ shape: 'hash', members: [] }));
      expect(await at.part('hash-empty', { kind: 'fields', names: ['a'] })).toEqual({ members: [null], count: 0 });
      expect(await at.part('hash-empty', { kind: 'all' })).toEqual({ members: [], count: 0 });
    });

    it('of 1,200 fields is stored and read like any other', async () => {
      const fields = Array.from({ length: 1_200 }, (_, at) => [`f${at}`, `"${at}"`]);
      await at.filled('hash-long', value({ shape: 'hash', members: fields.flat() }));
      const names = fields.slice(0, 1_000).map(([name = '']) => name);
      expect((await at.part('hash-long', { kind: 'fields', names })).members).toHaveLength(1_000);
      expect(await at.part('hash-long', { kind: 'fields', names: ['f1199'] })).toEqual({
        members: ['"1199"'],
        count: 1_200,
      });
      const asked = Array.from({ length: 10_000 }, (_, at) => `f${at}`);
      const { members } = await at.part('hash-long', { kind: 'fields', names: asked });
      expect(members).toEqual(asked.map((_, at) => (at < 1_200 ? `"${at}"` : null)));
    });
  });

  describe('a set', () => {
    it('is asked by membership, of 1,000 members at once too', async () => {
      const members = Array.from({ length: 3_000 }, (_, at) => `member ${at}`);
      await at.filled('set', value({ shape: 'set', members }));
      expect(await at.part('set', { kind: 'contains', members: ['member 7', 'no', 'member 2999'] })).toEqual({
        members: ['1', '0', '1'],
        count: 3_000,
      });
      const asked = Array.from({ length: 1_000 }, (_, at) => (at % 2 ? `member ${at}` : `no ${at}`));
      const { members: found } = await at.part('set', { kind: 'contains', members: asked });
      expect(found.filter((word) => word === '1')).toHaveLength(500);
    });

    it('is asked of more members at once than one command in a script takes', async () => {
      await at.filled('set-asked', value({ shape: 'set', members: ['member 0', 'member 9999'] }));
      const asked = Array.from({ length: 10_000 }, (_, at) => `member ${at}`);
      const { members: found } = await at.part('set-asked', { kind: 'contains', members: asked });
      expect(found).toHaveLength(asked.length);
      expect(found.flatMap((word, index) => (word === '1' ? [index] : []))).toEqual([0, 9_999]);
    });

    it('without members is whole, not missing', async () => {
      await at.filled('set-empty', value({ shape: 'set', members: [] }));
      expect(await at.part('set-empty', { kind: 'contains', members: ['a'] })).toEqual({ members: ['0'], count: 0 });
    });
  });

  describe('a change of single members', () => {
    const change = { from: '1', version: '2', set: ['b', 'c'], remove: ['a'], count: 2 };
    const contains = (key: string) => at.part(key, { kind: 'contains', members: ['a', 'b', 'c'] });

    it('is applied where its write token stands on the version that it was made from', async () => {
      await at.filled('patch', value({ shape: 'set', members: ['a'] }));
      await at.fence(['patch'], '60', 'w1');
      expect(await at.patch('patch', 'w1', '60', change)).toBe('published');
      expect(await contains('patch')).toEqual({ members: ['0', '1', '1'], count: 2 });
      expect(await at.read('patch', 't1')).toMatchObject({ kind: 'hit', version: '2' });
    });

    it('sets fields of a hash and removes others', async () => {
      await at.filled('patch-hash', value({ shape: 'hash', members: ['a', '"1"', 'b', '"2"'] }));
      await at.fence(['patch-hash'], '61', 'w1');
      const fields = { ...change, set: ['b', '"3"', 'c', '"4"'] };
      expect(await at.patch('patch-hash', 'w1', '61', fields)).toBe('published');
      expect(await at.part('patch-hash', { kind: 'fields', names: ['a', 'b', 'c'] })).toEqual({
        members: [null, '"3"', '"4"'],
        count: 2,
      });
    });

    const refusals: Record<string, (key: string) => Promise<unknown>> = {
      'an entry at another version': async (key) => {
        await at.filled(key, value({ shape: 'set', members: ['a'], version: '0' }));
        await at.fence([key], '62', 'w1');
      },
      'an entry whose token another writer has taken': async (key) => {
        await at.filled(key, value({ shape: 'set', members: ['a'] }));
        await at.fence([key], '62', 'w1');
        await at.fence([key], '63', 'w2');
      },
      'an entry that holds nothing': (key) => at.fence([key], '62', 'w1'),
      'an entry known not to exist': async (key) => {
        await at.filled(key, value({ json: null, shape: 'set' }));
        await at.fence([key], '62', 'w1');
      },
      'an entry that would not count as many members as SQL does': async (key) => {
        await at.filled(key, value({ shape: 'set', members: ['a', 'more'] }));
        await at.fence([key], '62', 'w1');
      },
      'an entry in another format': async (key) => {
        await at.filled(key, value({ field: 'value@2', shape: 'set', members: ['a'] }));
        await at.fence([key], '62', 'w1');
      },
    };
    for (const [name, arrange] of Object.entries(refusals)) {
      it(`drops ${name} instead`, async () => {
        const key = `patch ${name}`;
        await arrange(key);
        expect(await at.patch(key, 'w1', '62', change)).toBe('dropped');
        expect(['lease', 'fenced']).toContain((await at.read(key, 't1')).kind);
      });
    }
  });

  describe('a renewal', () => {
    const LIFE_MS = 60_000;
    const agedTo = async (key: string, share: number, stored: Parameters<typeof value>[0] = {}) => {
      await at.filled(key, value({ json: '"old"', ttlMs: LIFE_MS, ...stored }));
      await elapse(key, LIFE_MS * share);
    };
    const aged = (key: string, stored: Parameters<typeof value>[0] = {}) => agedTo(key, RENEW_AFTER + 0.01, stored);

    it('is granted near the end of a life; readers go on hitting until the fill replaces what stands', async () => {
      await aged('renew');
      expect(await at.renew('renew', 'r1')).toBe('granted');
      expect(await at.value('renew')).toBe('"old"');
      expect(await at.fill('renew', 'r1', value({ json: '"new"', version: '1' }))).toBe('filled');
      expect(await at.value('renew')).toBe('"new"');
      expect(await at.renew('renew', 'r2')).toBe('refused');
    });

    it('is granted for what has members, too, and for a known absence', async () => {
      await aged('renew-list', { members: ['"1"', '"2"'] });
      expect(await at.renew('renew-list', 'r1')).toBe('granted');
      expect(await at.page('renew-list', 0, -1)).toEqual(['"1"', '"2"']);
      await at.fill('renew-list', 'r1', value({ members: ['"3"'] }));
      expect(await at.page('renew-list', 0, -1)).toEqual(['"3"']);
      await aged('renew-absent', { json: null });
      expect(await at.renew('renew-absent', 'r1')).toBe('granted');
    });

    it('does not prolong the life of what stands', async () => {
      await aged('renew-ends');
      await at.renew('renew-ends', 'r1');
      await elapse('renew-ends', LIFE_MS * 0.2);
      expect(await at.read('renew-ends', 't1')).toEqual(LEASE);
      expect(await at.fill('renew-ends', 'r1', value())).toBe('refused');
    });

    it('is granted to one at a time, and to another once the first has run out', async () => {
      await aged('renew-one');
      expect(await at.renew('renew-one', 'r1')).toBe('granted');
      expect(await at.renew('renew-one', 'r2')).toBe('refused');
      await elapse('renew-one', LEASE_MS + 1);
      expect(await at.renew('renew-one', 'r3')).toBe('granted');
      expect(await at.fill('renew-one', 'r1', value())).toBe('refused');
      expect(await at.fill('renew-one', 'r3', value())).toBe('filled');
    });

    it('answers for each of several entries', async () => {
      await at.filled('renew-a', value({ ttlMs: 1_000_000 }));
      await elapse('renew-a', 850_000);
      await at.filled('renew-b', value({ ttlMs: 100_000 }));
      await elapse('renew-b', 85_000);
      const items = ['renew-a', 'renew-none', 'renew-b'].map((key) => ({
        view: 'note',
        key,
        field: 'value@1',
        secret: key,
      }));
      const replies = [expect.any(String), undefined, expect.any(String)];
      expect(await under.store.renew([{ ...at.where, items }])).toEqual([{ kind: 'done', replies }]);
      expect(await at.read('renew-none', 't1')).toEqual(LEASE);
    });

    const refusals: Record<string, (key: string) => Promise<unknown>> = {
      'where nothing stands': async () => {},
      'early in a life': (key) => agedTo(key, RENEW_AFTER - 0.05),
      'under a fence': async (key) => {
        await aged(key);
        await at.fence([key], '70', 'w1');
        await elapse(key, FENCE_GRACE_MS + 1);
      },
      'where only another format stands': (key) => aged(key, { field: 'value@2' }),
    };
    for (const [name, arrange] of Object.entries(refusals)) {
      it(`is refused ${name}`, async () => {
        await arrange(`renew ${name}`);
        expect(await at.renew(`renew ${name}`, 'r1')).toBe('refused');
      });
    }

    const ends: Record<string, (key: string) => Promise<unknown>> = {
      'a fence': (key) => at.fence([key], '71', 'w1'),
      'a drop of something newer': (key) => at.drop(key, { version: '2', xid: '71' }),
      'a publish of something newer': (key) => at.publish(key, 'w1', '71', value({ version: '2' })),
    };
    for (const [name, act] of Object.entries(ends)) {
      it(`loses its token to ${name}, and its fill is refused`, async () => {
        const key = `renewal ends by ${name}`;
        await aged(key);
        expect(await at.renew(key, 'r1')).toBe('granted');
        await act(key);
        expect(await at.fill(key, 'r1', value())).toBe('refused');
      });
    }

    it('keeps its token when told late of the version that stands', async () => {
      await aged('renew-late', { version: '7' });
      await at.renew('renew-late', 'r1');
      await at.drop('renew-late', { version: '7', xid: '72' });
      expect(await at.fill('renew-late', 'r1', value({ version: '7' }))).toBe('filled');
    });

    it('of what another generation left is refused', async () => {
      const before = await begin();
      await before.filled('renew-left', value({ ttlMs: LIFE_MS }));
      await under.elapse(before.partition, 'renew-left', LIFE_MS * 0.9);
      expect(await (await before.next()).renew('renew-left', 'r1')).toBe('refused');
    });
  });

  describe('the guard', () => {
    const wrong: Record<string, (guard: Guard) => Guard> = {
      incarnation: (guard) => ({ ...guard, incarnation: 'f'.repeat(40) }),
      epoch: (guard) => ({ ...guard, epoch: String(BigInt(guard.epoch) + 1n) }),
      generation: (guard) => ({ ...guard, generation: `${guard.generation}0` }),
    };
    for (const [part, change] of Object.entries(wrong)) {
      it(`of another ${part} keeps every operation from doing anything`, async () => {
        const here = await begin();
        await here.filled('guarded', value({ json: '"kept"', version: '1' }));
        await here.fence(['fenced'], '80', 'w1');
        await keepYoung('fenced', here);
        const other = here.under(change(here.guard));
        await expectNothingDone(other, `untouched ${part}`);
        expect(await here.value('guarded')).toBe('"kept"');
        expect((await here.read('fenced', 't1')).kind).toBe('fenced');
        expect((await here.read(`untouched ${part}`, 't1')).kind).toBe('lease');
        expect((await here.meta()).stored?.cursor).toBe('start');
      });
    }

    it('that is absent is a mismatch', async () => {
      await expectNothingDone(new Partition(under.store, partitions++, at.guard), 'never touched');
    });

    it('hides the entries of another generation', async () => {
      const before = await begin();
      await before.filled('left', value({ json: '"old"' }));
      await before.filled('left-list', value({ members: ['"old"'] }));
      await before.fence(['left-fence'], '81', 'w1');
      const after = await before.next();
      expect(await after.read('left', 't1')).toEqual(LEASE);
      expect(await after.read('left-list', 't1')).toEqual(LEASE);
      expect(await after.read('left-fence', 't1')).toEqual(LEASE);
      expect(await after.fences()).toEqual([]);
      expect(await after.inspect('left-fence')).toMatchObject({ state: 'leased' });
      await after.fill('left-list', 't1', value({ members: ['"new"'] }));
      expect(await after.page('left-list', 0, -1)).toEqual(['"new"']);
    });

    it('lets a fence begin anew on what another generation left', async () => {
      const before = await begin();
      await before.filled('refenced', value({ json: '"old"' }));
      await before.fence(['refenced'], '82', 'w1');
      const after = await before.next();
      await after.fence(['refenced'], '83', 'w2');
      await after.drop('refenced', { version: '0', xid: '83' });
      expect(await after.read('refenced', 't1')).toEqual(LEASE);
    });

    it('of another generation makes a token of before worthless', async () => {
      const before = await begin();
      await before.read('late', 't1');
      const after = await before.next();
      expect(await after.fill('late', 't1', value())).toBe('refused');
      expect(await after.publish('late', 't1', '84', value())).toBe('dropped');
      expect(await after.read('late', 't2')).toEqual(LEASE);
    });
  });

  describe('the meta of a partition', () => {
    it('is begun once per epoch, and never by an older one', async () => {
      const here = await begin();
      const same = await under.store.begin(here.partition, here.guard, 'other');
      const older = await under.store.begin(here.partition, { ...here.guard, epoch: '0' }, 'other');
      expect([same, older]).toEqual([false, false]);
      expect((await here.meta()).stored).toEqual({ ...here.guard, cursor: 'start' });
    });

    it('compares epochs as numbers', async () => {
      const here = await begin();
      const ninth = { ...here.guard, epoch: '9' };
      const tenth = { ...here.guard, epoch: '10' };
      expect(await under.store.begin(here.partition, ninth, 'ninth')).toBe(true);
      expect(await under.store.begin(here.partition, tenth, 'tenth')).toBe(true);
      expect(await under.store.begin(here.partition, ninth, 'ninth')).toBe(false);
      expect((await here.meta()).stored).toEqual({ ...tenth, cursor: 'tenth' });
    });

    it('is not begun for an incarnation that is not there', async () => {
      const partition = partitions++;
      const guard = { incarnation: 'f'.repeat(40), epoch: '1', generation: '1' };
      expect(await under.store.begin(partition, guard, 'start')).toBe(false);
      expect((await under.store.meta([partition]))[0]?.stored).toBeUndefined();
    });

    it('tells who answers, partition by partition', async () => {
      const here = await begin();
      const [known, unknown] = await under.store.meta([here.partition, partitions++]);
      expect(known?.incarnation).toBe(here.guard.incarnation);
      expect(unknown).toEqual({ incarnation: expect.stringMatching(/^\w+$/), stored: undefined });
    });

    it('moves its cursor by compare-and-set', async () => {
      const here = await begin();
      expect(await here.advance('start', 'second')).toBe(true);
      expect(await here.advance('start', 'third')).toBe(false);
      expect((await here.meta()).stored?.cursor).toBe('second');
    });

    it('answers for each of several partitions', async () => {
      const [one, two] = [await begin(), await begin()];
      const moves = [one, two].map(({ partition, guard }) => ({ partition, guard, from: 'start', to: 'next' }));
      expect(await under.store.advance(moves)).toEqual([true, true]);
      const items = [{ view: 'note', key: 'k', field: 'value@1', secret: 't' }];
      const reads = [one.under({ ...one.guard, epoch: '99' }), two].map((each) => ({ ...each.where, items }));
      expect(await under.store.read(reads)).toMatchObject([{ kind: 'mismatch' }, { kind: 'done', replies: [LEASE] }]);
    });
  });

  describe('to whoever holds an answer', () => {
    it('tells the stamp of the value that stands, of a text, of members and of what is known not to exist', async () => {
      await at.filled('stand', value({ version: '7' }));
      await at.filled('stand-list', value({ version: '8', members: ['"0"', '"1"'] }));
      await at.filled('stand-none', value({ version: '9', json: null }));
      expect(await at.standing('stand')).toMatch(versionOf('7'));
      expect(await at.standing('stand-list')).toMatch(versionOf('8'));
      expect(await at.standing('stand-none')).toMatch(versionOf('9'));
    });

    it('tells the stamp that whoever filled it was told', async () => {
      await at.read('stand-filled', 't1');
      await at.read('stand-filled-list', 't1');
      const text = await at.stampOfFill('stand-filled', 't1', value({ version: '7' }));
      const list = await at.stampOfFill('stand-filled-list', 't1', value({ version: '8', members: ['"0"', '"1"'] }));
      expect([text, list]).toEqual([expect.stringMatching(versionOf('7')), expect.stringMatching(versionOf('8'))]);
      expect([await at.standing('stand-filled'), await at.standing('stand-filled-list')]).toEqual([text, list]);
      expect(await at.stampOfFill('stand-filled', 't1', value({ version: '7' }))).toBeUndefined();
    });

    it('tells a value from one of the same version that is stored after it was dropped', async () => {
      await at.filled('stand-again', value({ version: '7' }));
      const before = await at.standing('stand-again');
      expect(before).toBe(await at.standing('stand-again'));
      await eventually(async () => {
        await elapse('stand-again', 1);
        await at.drop('stand-again', { version: '8', xid: '0' });
        await at.filled('stand-again', value({ version: '7' }));
        const after = await at.standing('stand-again');
        expect(after).toMatch(versionOf('7'));
        return after !== before;
      });
    });

    it('tells of several entries in their order, and of none twice as much', async () => {
      const here = await begin();
      await here.filled('a', value({ version: '1' }));
      await here.filled('c', value({ version: '3' }));
      const items = ['c', 'b', 'a', 'c'].map((key) => ({ view: 'note', key }));
      expect(await under.store.standing([{ ...here.where, items }])).toEqual([
        {
          kind: 'done',
          replies: [
            expect.stringMatching(versionOf('3')),
            undefined,
            expect.stringMatching(versionOf('1')),
            expect.stringMatching(versionOf('3')),
          ],
        },
      ]);
    });

    it('tells the new version from when it is published', async () => {
      await at.filled('stand-new', value({ version: '7' }));
      await at.filled('stand-new', value({ version: '8' }));
      expect(await at.standing('stand-new')).toMatch(versionOf('8'));
    });

    it('tells of none under a fence, nor while nothing stands', async () => {
      await at.filled('stand-fenced', value({ version: '7' }));
      await at.fence(['stand-fenced'], '93', 'w1');
      expect(await at.standing('stand-fenced')).toBeUndefined();
      await at.drop('stand-fenced', { version: '0', xid: '93' });
      expect(await at.standing('stand-fenced')).toMatch(versionOf('7'));
      expect(await at.standing('stand-nothing')).toBeUndefined();
    });

    it('tells of none once it was dropped, or its life is over', async () => {
      await at.filled('stand-dropped', value({ version: '7' }));
      await at.drop('stand-dropped', { version: '8', xid: '0' });
      expect(await at.standing('stand-dropped')).toBeUndefined();
      await at.filled('stand-over', value({ version: '7' }));
      await elapse('stand-over', GONE_MS);
      expect(await at.standing('stand-over')).toBeUndefined();
    });

    it('grants no lease, and takes none', async () => {
      expect(await at.standing('stand-lease')).toBeUndefined();
      expect(await at.read('stand-lease', 't1')).toEqual(LEASE);
      expect(await at.standing('stand-lease')).toBeUndefined();
      expect(await at.fill('stand-lease', 't1', value({ version: '5' }))).toBe('filled');
      expect(await at.standing('stand-lease')).toMatch(versionOf('5'));
    });

    it('tells of nothing that another generation left, and nothing at all under another guard', async () => {
      const before = await begin();
      await before.filled('stand-left', value({ version: '7' }));
      const after = await before.next();
      expect(await after.standing('stand-left')).toBeUndefined();
      const items = [{ view: 'note', key: 'stand-left' }];
      expect(await under.store.standing([{ ...before.where, items }])).toEqual([{ kind: 'mismatch' }]);
    });
  });

  describe('to an onlooker', () => {
    it('peek shows what is left, fenced or not, and changes nothing', async () => {
      await at.filled('peek', value({ json: '"left"', version: '3' }));
      await at.fence(['peek'], '90', 'w1');
      await keepYoung('peek');
      expect(await at.peek('peek')).toMatchObject({ kind: 'hit', value: '"left"', version: '3' });
      expect(await at.peek('peek-nothing')).toBeUndefined();
      expect(await at.read('peek', 't1')).toEqual({ kind: 'fenced' });
      await at.drop('peek', { version: '0', xid: '90' });
    });

    it('peek shows a page of a list', async () => {
      await at.filled('peek-list', value({ members: ['"0"', '"1"', '"2"'] }));
      expect(await at.peek('peek-list', { kind: 'rows', first: 1, last: 2 })).toMatchObject({
        members: ['"1"', '"2"'],
        count: 3,
      });
    });

    it('peek shows what another generation left, of which nobody vouches', async () => {
      const before = await begin();
      await before.filled('peek-left', value({ json: '"left"', version: '3' }));
      await before.fence(['peek-left'], '90', 'w1');
      const after = await before.next();
      expect(await after.peek('peek-left')).toMatchObject({ kind: 'hit', value: '"left"', version: '3' });
      expect((await after.read('peek-left', 't1')).kind).toBe('lease');
    });

    it('standing fences are listed once they are old enough, with their transactions', async () => {
      const here = await begin();
      await here.fence(['standing'], '91', 'w1');
      await here.fence(['standing'], '92', 'w2');
      await keepYoung('standing', here);
      expect(await under.store.standingFences(here.where, 1_000)).toEqual([]);
      await under.elapse(here.partition, 'standing', AGES_MS + 1_001);
      expect(await under.store.standingFences(here.where, 1_000)).toEqual([
        { view: 'note', key: 'standing', fences: [expect.stringMatching(/^91\./), expect.stringMatching(/^92\./)] },
      ]);
      await here.drop('standing', { version: '0', xid: '91' });
      await here.drop('standing', { version: '0', xid: '92' });
      expect(await under.store.standingFences(here.where, 1_000)).toEqual([]);
    });

    it('inspect tells absent, leased, fresh and fenced apart', async () => {
      expect(await at.inspect('facts')).toMatchObject({ state: 'absent', version: undefined, bytes: 0 });
      await at.read('facts', 't1');
      expect(await at.inspect('facts')).toMatchObject({ state: 'leased', version: undefined });
      await at.fill('facts', 't1', value({ version: '8', ttlMs: 60_000 }));
      const fresh = await at.inspect('facts');
      expect(fresh).toMatchObject({ state: 'fresh', version: '8' });
      expect(fresh.bytes).toBeGreaterThan(0);
      expect(fresh.ageMs).toBeGreaterThanOrEqual(0);
      expect(fresh.ttlMs).toBeGreaterThan(0);
      expect(fresh.ttlMs).toBeLessThanOrEqual(60_000);
      await at.fence(['facts'], '93', 'w1');
      expect(await at.inspect('facts')).toMatchObject({ state: 'fenced', ttlMs: undefined });
    });
  });
}

/** Every operation under a guard that does not hold says so. */
async function expectNothingDone(at: Partition, untouchedKey: string): Promise<void> {
  const { store, where } = at;
  const entry = { view: 'note', key: 'guarded' };
  const stored = { ...entry, ...value({ json: '"wrong"', version: '9' }), token: 't1', xid: '80' };
  const untouched = { view: 'note', key: untouchedKey, field: 'value@1', secret: 't1' };
  const mismatch = [{ kind: 'mismatch' }];
  expect(await store.read([{ ...where, items: [untouched] }])).toEqual(mismatch);
  expect(await store.renew([{ ...where, items: [untouched] }])).toEqual(mismatch);
  expect(await store.fill([{ ...where, items: [stored] }])).toEqual(mismatch);
  expect(await store.fence([{ ...where, items: [entry, untouched] }], '80', 'w1')).toEqual(mismatch);
  expect(await store.publish([{ ...where, items: [stored] }])).toEqual(mismatch);
  const patch = { ...stored, from: '1', set: [], remove: [], count: 0 };
  expect(await store.patch([{ ...where, items: [patch] }])).toEqual(mismatch);
  const drops = ['guarded', 'fenced'].map((key) => ({ view: 'note', key, version: '9', xid: '80' }));
  expect(await store.drop([{ ...where, items: drops }])).toEqual(mismatch);
  expect(await store.advance([{ ...where, from: 'start', to: 'wrong' }])).toEqual([false]);
  expect(await store.standingFences(where, -60_000)).toEqual([]);
  expect(await store.inspect(where, 'note', 'guarded', 'value@1')).toMatchObject({ state: 'absent' });
}
