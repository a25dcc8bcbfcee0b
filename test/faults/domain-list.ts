// Members of lists: strict, changed one by one in a set that is asked by membership.
import { type Domain, mutation, numbered, placeOf } from './domain.js';

const LISTS = ['l0', 'l1'];
const MEMBERS = LISTS.map((list) => numbered(`${list}/m`, 64));

export const lists: Domain = {
  name: 'list',
  batches: MEMBERS,
  repeats: true,
  first: 'in',
  read: (keys) => ({
    query: 'query($name: String!, $members: [String!]!) { securityListContains(name: $name, members: $members) }',
    variables: { name: placeOf(keys[0] ?? '').outer, members: keys.map((key) => placeOf(key).inner) },
  }),
  answers: ({ data }, keys) => {
    const found = data?.securityListContains;
    return keys.map((_, at) => (Array.isArray(found) ? { value: found[at] === true ? 'in' : null } : undefined));
  },
  write: (key, value) => {
    const { outer: name, inner: member } = placeOf(key);
    const call = `changeSecurityList(name: $name, ${value === null ? 'remove' : 'add'}: [$member])`;
    return {
      query: mutation('$name: String!, $member: String!', call, 'ChangeSecurityListPayload'),
      variables: { name, member },
    };
  },
  spell: (_, random) => (random() < 0.5 ? null : 'in'),
  entry: (key) => ({ view: 'security-list', key: placeOf(key).outer }),
  stored: async (sql) => {
    const rows = await sql<{ key: string }[]>`SELECT name || '/' || member AS key FROM security_list_members`;
    return new Map(rows.map(({ key }) => [key, 'in']));
  },
  seed: async (sql) => {
    await sql`INSERT INTO security_values (name, kind) SELECT name, 'LIST' FROM unnest(${LISTS}::text[]) AS name`;
    await sql`INSERT INTO security_list_members
      SELECT split_part(place, '/', 1), split_part(place, '/', 2) FROM unnest(${MEMBERS.flat()}::text[]) AS place`;
  },
};
