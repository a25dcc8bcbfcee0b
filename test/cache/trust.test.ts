// Which partitions are believed: nothing that is lost while trust is being learned stays lost.
import { describe, expect, it } from 'vitest';
import { CacheUnavailable } from '../../src/cache/errors.js';
import { Events } from '../../src/cache/events.js';
import { memoryStore, systemClock } from '../../src/cache/index.js';
import { TRUST_LEASE_MS } from '../../src/cache/lease.js';
import type { ChangeLog } from '../../src/cache/ports.js';
import { Trust } from '../../src/cache/trust.js';
import { testClock } from '../support/clock.js';
import { eventually } from '../support/eventually.js';
import { Gates } from '../support/gates.js';
import { quietChangeLog } from '../support/quiet-change-log.js';

it('trust that is lost at any moment while it is being learned is learned again', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const store = memoryStore({ clock: systemClock, maxBytes: 1_000_000 });
    const events = new Events();
    const trust = new Trust({ store, changeLog: quietChangeLog(), partitions: 2, clock: systemClock, events });
    let lost = false;
    events.on(({ kind }) => {
      if (kind !== 'trusted' || lost) return;
      lost = true;
      let turn = Promise.resolve();
      for (let at = 0; at < turns; at++) turn = turn.then(() => {});
      void turn.then(() => trust.distrust([0], 'A test took it away.'));
    });
    await trust.learn();
    await eventually(() => trust.trusted);
    await new Promise((resolve) => setImmediate(resolve));
    await eventually(() => trust.trusted, 5_000);
    expect(lost).toBe(true);
    await trust.close();
  }
});

describe('an epoch that a transaction holds, and which therefore is not closed at once,', () => {
  async function trustIn(changeLog: ChangeLog): Promise<Trust> {
    const store = memoryStore({ clock: systemClock, maxBytes: 1_000_000 });
    const trust = new Trust({ store, changeLog, partitions: 1, clock: systemClock, events: new Events() });
    await trust.learn();
    return trust;
  }
  const epochIn = async (changeLog: ChangeLog) => Number((await changeLog.partitions())[0]?.epoch);

  it('is closed before anybody is told that nobody trusts it', async () => {
    const changeLog = quietChangeLog();
    let refusals = 0;
    const held = {
      ...changeLog,
      closeEpoch: async (closing: Parameters<ChangeLog['closeEpoch']>[0]) =>
        closing.epoch !== undefined && refusals++ < 2 ? false : changeLog.closeEpoch(closing),
    };
    const trust = await trustIn(held);
    const before = await epochIn(changeLog);
    expect(await trust.quiet(await trust.shut([0]))).toBe(true);
    expect(refusals).toBeGreaterThan(2);
    expect(await epochIn(changeLog)).toBeGreaterThan(before);
    await trust.close();
  });

  it('keeps whoever waits waiting, and is not called quiet while it is open', async () => {
    const changeLog = quietChangeLog();
    const closeEpoch = async (closing: Parameters<ChangeLog['closeEpoch']>[0]) =>
      closing.epoch === undefined && changeLog.closeEpoch(closing);
    const trust = await trustIn({ ...changeLog, closeEpoch });
    const before = await epochIn(changeLog);
    const closed = await trust.shut([0]);
    expect(closed).toEqual([{ partition: 0, epoch: String(before + 1) }]);
    expect(await trust.quiet(closed)).toBe(false);
    expect(await epochIn(changeLog)).toBe(before);
    await trust.close();
  }, 60_000);
});

describe('to catch up, which takes longer than a lease lasts,', () => {
  /** Trust in two partitions, the first of which catches up for as long as the test likes. */
  async function slowTrust() {
    const clock = testClock({ still: true });
    const store = memoryStore({ clock, maxBytes: 1_000_000 });
    const gates = new Gates<'look'>();
    const asked: string[] = [];
    let renewals = 0;
    const quiet = quietChangeLog();
    const changeLog: ChangeLog = {
      ...quiet,
      renew: async (renewing) => {
        const renewal = await quiet.renew(renewing);
        renewals++;
        return renewal;
      },
      changesSince: gates.around('look', async (cursor, partitions) => {
        asked.push(cursor);
        return quiet.changesSince(cursor, partitions);
      }),
    };
    const events = new Events();
    const trust = new Trust({ store, changeLog, partitions: 2, clock, events });
    await trust.learn();
    const looking = gates.close('look');
    trust.distrust([0], 'A test took it away.');
    await looking.reached;
    /** Lets a second pass, and the look that is due after it. */
    const second = async () => {
      const before = renewals;
      await eventually(() => {
        clock.skip(1_000);
        return renewals > before;
      });
    };
    return { trust, store, changeLog, events, asked, looking, second };
  }

  it('ends nobody else’s trust, and counts when it is done', async () => {
    const { trust, looking, second } = await slowTrust();
    const other = trust.guardOf(1);
    expect(other).toBeDefined();
    for (let seconds = 0; seconds < (3 * TRUST_LEASE_MS) / 1_000; seconds++) {
      await second();
      expect(trust.guardOf(0)).toBeUndefined();
      expect(trust.guardOf(1)).toBe(other);
    }
    looking.open();
    await eventually(() => trust.guardOf(0) !== undefined);
    expect(trust.guardOf(1)).toBe(other);
    await trust.close();
  });

  it('is in vain where its epoch was closed meanwhile: no reader is ever given that guard', async () => {
    const { trust, changeLog, events, looking, second } = await slowTrust();
    const [row] = await changeLog.partitions();
    const given = new Set<string | undefined>();
    events.on(() => given.add(trust.guardOf(0)?.epoch));
    await changeLog.closeEpoch({ partition: 0, epoch: row?.epoch, seenEpoch: '0', anew: false, foreign: false });
    await second();
    looking.open();
    await eventually(async () => {
      await second();
      given.add(trust.guardOf(0)?.epoch);
      return trust.trusted;
    });
    expect(given).not.toContain(row?.epoch);
    expect(Number(trust.guardOf(0)?.epoch)).toBeGreaterThan(Number(row?.epoch));
    await trust.close();
  });

  it('begins again where the cursor is not where it was when it began', async () => {
    const { trust, store, asked, looking, second } = await slowTrust();
    const [meta] = await store.meta([0]);
    const guard = meta?.stored ?? { incarnation: '', epoch: '', generation: '' };
    expect(await store.advance([{ partition: 0, guard, from: 'cursor', to: 'a later one' }])).toEqual([true]);
    looking.open();
    await eventually(async () => {
      await second();
      return trust.trusted;
    });
    expect(asked.slice(-2)).toEqual(['cursor', 'a later one']);
    await trust.close();
  });
});

describe('what the store replies to a guard that has been replaced since', () => {
  it.each([
    { kind: 'mismatch' } as const,
    { kind: 'unavailable', error: new CacheUnavailable('The connection is lost.', 'connection') } as const,
  ])('is not believed, and says nothing against the one in force: $kind', async (reply) => {
    const store = memoryStore({ clock: systemClock, maxBytes: 1_000_000 });
    const changeLog = quietChangeLog();
    const trust = new Trust({ store, changeLog, partitions: 1, clock: systemClock, events: new Events() });
    await trust.learn();
    const before = trust.requireGuard(0);
    trust.distrust([0], 'A test took it away.');
    await trust.learn();
    const now = trust.requireGuard(0);
    expect(trust.believed([{ partition: 0, guard: before }], [reply])).toEqual([undefined]);
    expect(trust.guardOf(0)).toBe(now);
    expect(trust.believed([{ partition: 0, guard: now }], [reply])).toEqual([undefined]);
    expect(trust.guardOf(0)).toBeUndefined();
    await trust.close();
  });
});
