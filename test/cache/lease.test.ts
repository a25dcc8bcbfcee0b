// The lease of a gateway on what Postgres says: how long it lasts, and what it tells of the other gateways.
import { beforeEach, describe, expect, it } from 'vitest';
import { Lease, TRUST_LEASE_MS } from '../../src/cache/lease.js';
import type { OtherGateway, PartitionRow, Renewal, Renewing } from '../../src/cache/ports.js';

/** After this long no lease granted before can be alive, by whatever clock. */
const LAPSED_MS = TRUST_LEASE_MS + 300;

const row = (epoch: string, open: boolean): PartitionRow => ({
  partition: 0,
  incarnation: 'life',
  epoch,
  generation: '1',
  open,
});
const other = (id: string, turn: bigint, beat = turn): OtherGateway => ({ id, turn, beat });
const epoch = (epoch: string) => ({ partition: 0, epoch });

let nowMs: number;
let turn: bigint;
let rows: PartitionRow[];
let others: OtherGateway[];
/** How long Postgres takes to answer. */
let delayMs: number;
let told: Renewing[];
let lease: Lease;

beforeEach(() => {
  [nowMs, turn, rows, others, delayMs, told] = [1_000, 0n, [row('1', true)], [], 0, []];
  const renew = async (renewing: Renewing): Promise<Renewal> => {
    told.push(renewing);
    turn += 2n;
    nowMs += delayMs;
    return { rows, others, began: turn - 1n, ended: turn };
  };
  lease = new Lease({
    changeLog: { renew },
    trusted: () => [],
    clock: { nowMs: () => nowMs, sleep: async () => {}, defer: (act) => act() },
  });
});

describe('a lease', () => {
  it('is not there before Postgres has granted one', () => {
    expect(lease.holds(epoch('1'))).toBe(false);
  });

  it('lasts from when it was asked for, however long the answer took', async () => {
    delayMs = 1_000;
    await lease.renew();
    nowMs = 1_000 + TRUST_LEASE_MS - 1;
    expect(lease.holds(epoch('1'))).toBe(true);
    nowMs++;
    expect(lease.holds(epoch('1'))).toBe(false);
  });

  it('is on one epoch, while it is open', async () => {
    await lease.renew();
    expect(lease.holds(epoch('0'))).toBe(false);
    rows = [row('2', false)];
    await lease.renew();
    expect(lease.holds(epoch('1'))).toBe(false);
    expect(lease.holds(epoch('2'))).toBe(false);
  });

  it('is confirmed to the others only once its answer is here', async () => {
    await lease.renew();
    await lease.renew();
    expect(told.map(({ adopted }) => adopted)).toEqual([0n, 1n]);
  });
});

describe('a closed epoch is quiet', () => {
  const close = async () => {
    rows = [row('2', false)];
    await lease.renew();
  };

  it('at once, for a gateway that is alone', async () => {
    await close();
    expect(lease.quiet(epoch('2'))).toBe(true);
    expect(lease.quiet(epoch('1'))).toBe(false);
  });

  it('when every other gateway has adopted a look from after it was seen closed', async () => {
    others = [other('a', 1n), other('b', 100n)];
    await close();
    expect(lease.quiet(epoch('2'))).toBe(false);
    others = [other('a', 2n), other('b', 100n)];
    await lease.renew();
    expect(lease.quiet(epoch('2'))).toBe(false);
    others = [other('a', 3n), other('b', 100n)];
    await lease.renew();
    expect(lease.quiet(epoch('2'))).toBe(true);
  });

  it('when a lease granted before can no longer be alive, whatever the others tell', async () => {
    others = [other('a', 0n)];
    await close();
    for (; nowMs < 1_000 + LAPSED_MS; nowMs += 100) {
      expect(lease.quiet(epoch('2'))).toBe(false);
      others = [other('a', 0n, BigInt(nowMs))];
      await lease.renew();
    }
    expect(lease.quiet(epoch('2'))).toBe(true);
  });
});

describe('a gateway that does not look any more', () => {
  const silentNow = () => told.at(-1)?.silent.map(({ id }) => id);

  it('is forgotten after longer than a lease lasts, and not before', async () => {
    others = [other('dead', 5n)];
    await lease.renew();
    nowMs += LAPSED_MS - 1;
    await lease.renew();
    expect(silentNow()).toEqual([]);
    nowMs++;
    await lease.renew();
    expect(silentNow()).toEqual(['dead']);
  });

  it('is told from one that looks but gets no answer', async () => {
    for (let beat = 5n; beat < 50n; beat++) {
      others = [other('deaf', 5n, beat)];
      await lease.renew();
      expect(silentNow()).toEqual([]);
      nowMs += 1_000;
    }
  });
});
