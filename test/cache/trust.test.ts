// Which partitions are believed: nothing that is lost while trust is being learned stays lost.
import { describe, expect, it } from 'vitest';
import { Events } from '../../src/cache/events.js';
import { memoryStore, systemClock } from '../../src/cache/index.js';
import type { ChangeLog } from '../../src/cache/ports.js';
import { Trust } from '../../src/cache/trust.js';
import { eventually } from '../support/eventually.js';
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
