// Relay's Node: every type with a global id registers how it is read by its key. Whoever may not read an object gets
// null, as for one that does not exist.
import { BadRequest, type Context, parseGlobalId } from '../resolvers/index.js';
import { builder } from './builder.js';

type ReadNode = (ctx: Context, key: string) => Promise<object | null>;

const readers = new Map<string, ReadNode>();

export const Node = builder.interfaceRef<object>('Node').implement({
  description: 'Something with a global id.',
  fields: (t) => ({ id: t.id({ description: 'Global, and opaque to clients.', resolve: noId }) }),
});

/** Registers how `node` reads objects of `type` by the key in their global id. */
export function nodeReader(type: string, read: ReadNode): void {
  readers.set(type, read);
}

const MAX_IDS = 100;

builder.queryFields((t) => ({
  node: t.field({
    type: Node,
    nullable: true,
    access: 'public',
    description: 'The object with this id, or null where there is none that the caller may read.',
    args: { id: t.arg.id({ required: true, description: 'As the object itself gave it.' }) },
    resolve: (_, { id }, ctx) => readNode(ctx, id),
  }),
  nodes: t.field({
    type: [Node],
    nullable: { list: false, items: true },
    access: 'public',
    description: `The objects with these ids, ${MAX_IDS} at most, in the same order.`,
    args: { ids: t.arg.idList({ required: true, description: 'As the objects themselves gave them.' }) },
    resolve: (_, { ids }, ctx) => {
      if (ids.length > MAX_IDS) throw new BadRequest(`Ask for ${MAX_IDS} ids at most at a time.`);
      return Promise.all(ids.map((id) => readNode(ctx, id)));
    },
  }),
}));

async function readNode(ctx: Context, id: string): Promise<object | null> {
  const { type, key } = parseGlobalId(id);
  const read = readers.get(type);
  if (!read) throw new BadRequest(`Objects of type ${JSON.stringify(type.slice(0, 40))} are not read by id.`);
  const object = await read(ctx, key);
  return object && { ...object, __typename: type };
}

function noId(): never {
  throw new Error('A type that implements Node must resolve its own id.');
}
