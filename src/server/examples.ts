// Operations to begin with, one tab of GraphiQL each, on the demo data. What needs a token says so, and never holds one.
import { type Example, tokenOf } from './example.js';
import { flagExamples } from './flag-examples.js';
import { menuExamples } from './menu-examples.js';
import { securityExamples } from './security-examples.js';
import { streamExamples } from './stream-examples.js';
import { tokenExamples } from './token-examples.js';
import { writeExamples } from './write-examples.js';

/** The tabs of GraphiQL; `now` dates what they post. */
export function exampleOperations(now: Date): readonly Example[] {
  const today = dayIn('America/Sao_Paulo', now);
  return [
    {
      title: 'A published menu, open to all. A locale that is missing falls back: pt-BR, then pt, then en.',
      document: `query PublishedMenu {
  menu(key: "main", locale: "pt-BR") {
    title
    locale
    itemCount
    version
    asOf
    items {
      key
      label
      url
      children { key label url }
    }
  }
}`,
    },
    {
      title: 'Several menus in one round-trip to the cache. Run it twice and see MISS become HIT in extensions.cache.',
      document: `query SeveralMenus {
  menus(keys: ["main", "footer", "no-such-menu"], locale: "en") {
    key
    title
    flatItems { key label depth parentKey }
  }
}`,
    },
    {
      title: 'Who the gateway takes you for.',
      document: `query Viewer {
  viewer { subject scopes tokenId }
}`,
    },
    {
      title: 'The statement of the latest closed day.',
      document: `${tokenOf('frontend or back-office')}query LatestStatement {
  statement(account: "0001-1") {
    date
    status
    revision
    opening { decimal currency }
    totalCredits { decimal }
    totalDebits { decimal }
    closing { decimal }
    count
    lines(first: 20) {
      edges { node { externalId description kind amount { decimal } } }
      pageInfo { hasNextPage endCursor }
    }
  }
}`,
    },
    {
      title: 'Transactions page by page: put the endCursor of one page into "after" for the next.',
      document: `${tokenOf('frontend or back-office')}query TransactionsPage($from: Date!, $to: Date!, $after: String) {
  account(number: "0001-1") {
    holder
    latestBusinessDate
    transactions(from: $from, to: $to, first: 5, after: $after) {
      edges { node { bookedOn description amount { decimal currency } } }
      pageInfo { hasNextPage endCursor }
    }
  }
}`,
      variables: inJson({ from: dayIn('UTC', new Date(now.getTime() - 30 * dayMs)), to: today, after: null }),
    },
    {
      title: 'Rename a menu item; every next read shows it.',
      document: `${tokenOf('back-office')}mutation RenameMenuItem {
  renameMenuItem(key: "main", locale: "en", item: "cards", label: "Cards and limits") {
    ... on RenameMenuItemPayload {
      receipt { version visible changeId }
      menu { title flatItems { key label } }
    }
    ... on UserError { code message path }
  }
}`,
    },
    {
      title: 'Post a transaction to today, then close the day: it becomes the latest statement.',
      document: `${tokenOf('back-office')}mutation CloseBusinessDay($today: Date!) {
  postTransactions(account: "0001-2", date: $today, lines: [
    { externalId: "example-${today}", minor: "12500", description: "Transfer received", kind: "TRANSFER" }
  ]) {
    ... on PostTransactionsPayload { receipt { version visible } }
    ... on UserError { code message path }
  }
  closeBusinessDay(account: "0001-2", date: $today) {
    ... on CloseBusinessDayPayload {
      receipt { version visible }
      statement { date status opening { decimal } closing { decimal } count }
    }
    ... on UserError { code message path }
  }
}`,
      variables: inJson({ today }),
    },
    {
      title: 'The life of a token: issue one, introspect its secret, which is shown once, revoke it by its id.',
      document: `${tokenOf('security-officer')}mutation IssueToken {
  issueToken(input: { name: "my first token", subject: "ana", scopes: ["statements:read"] }) {
    ... on IssueTokenPayload {
      secret
      token { id name prefix status scopes }
      receipt { visible }
    }
    ... on UserError { code message path }
  }
}

query IntrospectToken($secret: String!) {
  introspectToken(token: $secret) { active scope sub exp iat jti }
}

mutation RevokeToken($id: ID!) {
  revokeToken(id: $id) {
    ... on RevokeTokenPayload { receipt { visible } token { id status } }
    ... on UserError { code message path }
  }
}`,
      variables: inJson({ secret: 'the secret that IssueToken showed', id: 'the id that IssueToken showed' }),
    },
    {
      title: 'How the cache fares.',
      document: `${tokenOf('operator')}query CacheStatus {
  cacheStatus {
    store
    trusted
    hits
    misses
    answersGiven
    answersOutdated
    stale
    relayLagMs
    views { view hits misses entries p50Ms p99Ms }
  }
}`,
    },
    {
      title: 'One entry of the cache. Its state is ABSENT until somebody reads it.',
      document: `${tokenOf('operator')}query CacheEntry {
  cacheEntry(view: "menu", key: "main:pt-BR") {
    state
    version
    ageSeconds
    ttlSeconds
    bytes
  }
}`,
    },
    {
      title: 'Anything with an id, by its id.',
      document: `query Node($id: ID!) {
  node(id: $id) {
    __typename
    id
    ... on Menu { title locale }
    ... on Account { number currency }
  }
}`,
      variables: inJson({ id: Buffer.from('Menu:main:en').toString('base64url') }),
    },
    ...writeExamples,
    ...menuExamples,
    ...tokenExamples,
    ...flagExamples,
    ...securityExamples,
    ...streamExamples,
  ];
}

const dayMs = 86_400_000;

function dayIn(timeZone: string, at: Date): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at);
}

function inJson(variables: object): string {
  return JSON.stringify(variables, null, 2);
}
