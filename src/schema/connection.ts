// Relay connections over keyset pages.
import type { Connection } from '../resolvers/index.js';
import { builder } from './builder.js';

type NodeRef<Shape> = ReturnType<ReturnType<typeof builder.objectRef<Shape>>['implement']>;

const PageInfo = builder.objectRef<Connection<unknown>['pageInfo']>('PageInfo').implement({
  access: 'inherited',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage'),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage'),
    startCursor: t.exposeString('startCursor', { nullable: true }),
    endCursor: t.exposeString('endCursor', { nullable: true, description: 'Give it as `after` for the next page.' }),
  }),
});

/** The types `<name>Connection` and `<name>Edge` over `node`. */
export function connectionType<Shape>(name: string, node: NodeRef<Shape>) {
  const Edge = builder.objectRef<Connection<Shape>['edges'][number]>(`${name}Edge`).implement({
    access: 'inherited',
    fields: (t) => ({
      node: t.field({ type: node, resolve: (edge) => edge.node as never }),
      cursor: t.exposeString('cursor'),
    }),
  });
  return builder.objectRef<Connection<Shape>>(`${name}Connection`).implement({
    access: 'inherited',
    fields: (t) => ({
      edges: t.field({ type: [Edge], resolve: ({ edges }) => [...edges] }),
      pageInfo: t.field({ type: PageInfo, resolve: ({ pageInfo }) => pageInfo }),
    }),
  });
}
