// The model of Redis keeps the contract that both stores keep.
import { describe } from 'vitest';
import type { Store } from '../../src/cache/store.js';
import { storeContract } from '../contracts/store.js';
import { ModelRedis } from './model-redis.js';

describe('the model of Redis', () => {
  storeContract(async () => {
    let nowMs = 1_000;
    return {
      store: storeOf(new ModelRedis('life1', () => nowMs)),
      elapse: async (_partition, _key, ms) => {
        nowMs += ms;
      },
    };
  });
});

function storeOf(model: ModelRedis): Store {
  return {
    kind: 'redis',
    read: async (batches) => model.read(batches),
    standing: async (batches) => model.standing(batches),
    renew: async (batches) => model.renew(batches),
    fill: async (batches) => model.fill(batches),
    fence: async (batches, xid, token) => model.fence(batches, xid, token),
    publish: async (batches) => model.publish(batches),
    patch: async (batches) => model.patch(batches),
    drop: async (batches) => model.drop(batches),
    meta: async (partitions) => model.meta(partitions),
    begin: async (partition, guard, cursor) => model.begin(partition, guard, cursor),
    advance: async (batches) => model.advance(batches),
    standingFences: async (where, olderThanMs) => model.standingFences(where, olderThanMs),
    peek: async (partition, item) => model.peek(partition, item),
    inspect: async (where, view, key, field) => model.inspect(where, view, key, field),
    close: async () => {},
  };
}
