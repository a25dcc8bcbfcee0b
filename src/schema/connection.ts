// Relay connections over keyset pages.
import type { Connection } from '../resolvers/index.js';
import { builder } from './builder.js';

type NodeRef<Shape> = ReturnType<ReturnType<typeof builder.objectRef<Shape>>['implement']>;

const PageInfo = builder.objectRef<Connection<unknown>['pageInfo']>('PageInfo').implement({
  access: 'inherited',
  extensions: { follows: true },
  description: 'Where a page stands among the others.',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', { description: 'There is more after it.' }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', { description: 'It was asked for with `after`.' }),
    startCursor: t.exposeString('startCursor', { nullable: true, description: 'The cursor of its first edge.' }),
    endCursor: t.exposeString('endCursor', { nullable: true, description: 'Give it as `after` for the next page.' }),
  }),
});

/** How every list is paged. */
export const pageArgs = builder.args((arg) => ({
  first: arg.int({ defaultValue: 50, description: 'How many, from 1 to 100.' }),
  after: arg.string({ description: 'endCursor of the page before; it fits the same list and arguments only.' }),
}));

/** The types `<name>Connection` and `<name>Edge` over `node`. */
export function connectionType<Shape>(name: string, node: NodeRef<Shape>) {
  const Edge = builder.objectRef<Connection<Shape>['edges'][number]>(`${name}Edge`).implement({
    access: 'inherited',
    extensions: { follows: true },
    description: `A ${name} and its place in the list.`,
    fields: (t) => ({
      node: t.field({ type: node, description: `The ${name}.`, resolve: (edge) => edge.node as never }),
      cursor: t.exposeString('cursor', { description: 'Give it as `after` for what follows.' }),
    }),
  });
  return builder.objectRef<Connection<Shape>>(`${name}Connection`).implement({
    access: 'inherited',
    extensions: { follows: true },
    description: 'A page of a list, by cursors that are signed: none can be made up, nor used with another list.',
    fields: (t) => ({
      edges: t.field({ type: [Edge], description: 'In the order of the list.', resolve: ({ edges }) => [...edges] }),
      pageInfo: t.field({ type: PageInfo, description: 'Where it stands.', resolve: ({ pageInfo }) => pageInfo }),
    }),
  });
}
