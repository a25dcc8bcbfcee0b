// Requests that no client in good faith sends, byte by byte, and what each is told.

export type Form = readonly [title: string, bytes: string | Buffer, status: number];

const QUERY = '{"query":"{ menu(key: \\"main\\") { title } }"}';

interface Parts {
  readonly method?: string;
  readonly path?: string;
  readonly version?: string;
  readonly host?: readonly string[];
  readonly type?: string | null;
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
  /** Null leaves it out. */
  readonly length?: string | null;
}

/** The forms, for whoever bears `token`, which may send documents of its own. */
export function formsFor(token: string): readonly Form[] {
  const http = (parts: Parts): Buffer => {
    const { method = 'POST', path = '/graphql', version = '1.1', host = ['x'], type = 'application/json' } = parts;
    const body = Buffer.from(parts.body ?? QUERY);
    const { headers = [`authorization: Bearer ${token}`], length = String(body.length) } = parts;
    const lines = [
      `${method} ${path} HTTP/${version}`,
      ...host.map((name) => `host: ${name}`),
      ...(type === null ? [] : [`content-type: ${type}`]),
      ...headers,
      ...(length === null ? [] : [`content-length: ${length}`]),
    ];
    return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
  };
  const bearer = `authorization: Bearer ${token}`;
  const also = (...headers: string[]) => http({ headers: [bearer, ...headers] });
  const posted = (body: string | Buffer) => http({ body });
  const document = (query: string, variables: object = {}) => posted(JSON.stringify({ query, variables }));
  const got = (path: string, method = 'GET') => http({ method, path, body: '' });
  const chunked = (coding: string, body = `2d\r\n${QUERY}\r\n0\r\n\r\n`) =>
    http({ headers: [bearer, coding], body, length: null });
  const many = (count: number, each: (at: number) => string) =>
    Array.from({ length: count }, (_, at) => each(at)).join(' ');

  return [
    ['a request in good order', http({}), 200],
    // Types and codings of bodies
    ...[
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/graphql',
      '',
    ].map((type): Form => [`the type ${type || 'nothing'}`, http({ type }), 415]),
    ['no type', http({ type: null }), 415],
    ['JSON in UTF-16', http({ type: 'application/json; charset=utf-16' }), 415],
    ['two types', http({ type: 'application/json, text/plain' }), 415],
    ...['gzip', 'br', 'identity, gzip', 'x'].map(
      (coding): Form => [`the encoding ${coding}`, also(`content-encoding: ${coding}`), 415],
    ),
    // Methods
    ...['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'].flatMap((method): Form[] => [
      [`${method} of GraphQL`, got('/graphql', method), method === 'GET' ? 400 : 405],
      [`${method} of what is not there`, got('/nothing', method), 404],
    ]),
    ['a method that nobody knows', got('/graphql', 'FOO'), 400],
    ['CONNECT', 'CONNECT db:5432 HTTP/1.1\r\nhost: db:5432\r\n\r\n', 405],
    // Addresses
    ...[
      'http://evil.example/graphql',
      '*',
      '//graphql',
      '/graphql/',
      '/../etc/passwd',
      '/%67raphql',
      '/GRAPHQL',
      '/metrics',
    ].map((path): Form => [`the address ${path}`, http({ path }), 404]),
    ...['/graphiql/../../package.json', '/graphiql/%2e%2e%2fpackage.json', '/graphiql/..%5cpackage.json'].map(
      (path): Form => [`the address ${path}`, got(path), 404],
    ),
    ['an address with a space', 'GET / x HTTP/1.1\r\nhost: x\r\n\r\n', 400],
    ['an address with a NUL', 'GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n', 400],
    ['a flag that is no UTF-8', got('/ofrep/v1/evaluate/flags/%E0%A4%A', 'POST'), 400],
    ['commands without their secret', got('/inspect?view=menu&key=main', 'POST'), 401],
    ['a mutation by GET', got('/graphql?query=mutation{deleteMenu(key:"main"){__typename}}'), 405],
    ['variables in the URL that are no JSON', got('/graphql?variables=x&query={viewer{subject}}'), 400],
    // Hosts
    ['no host', http({ host: [] }), 400],
    ['two hosts', http({ host: ['x', 'y'] }), 400],
    ...['a b', 'http://x', 'x@y', 'x:99999999', 'x/y', '[::1', 'a'.repeat(300)].map(
      (host): Form => [`the host ${host.slice(0, 20)}`, http({ host: [host] }), 400],
    ),
    // Where a request ends
    ['a length and chunks', also('transfer-encoding: chunked'), 400],
    ['two lengths', also('content-length: 3'), 400],
    ['twice the same length', also(`content-length: ${QUERY.length}`), 400],
    ...['-5', '+5', '0x5', '1e3', '5, 5', '99999999999999999999', ''].map(
      (length): Form => [`the length ${length}`, http({ length }), 400],
    ),
    ...['gzip, chunked', 'chunked, identity', 'identity', 'xchunked', '"chunked"', 'chunked, chunked'].map(
      (coding): Form => [`the coding ${coding}`, chunked(`transfer-encoding: ${coding}`), 400],
    ),
    ['a coding before a blank', chunked('transfer-encoding : chunked'), 400],
    ['two codings', chunked('transfer-encoding: chunked\r\ntransfer-encoding: identity'), 400],
    ['a chunk of no length', chunked('transfer-encoding: chunked', 'zz\r\n'), 400],
    ['a chunk of a length beyond numbers', chunked('transfer-encoding: chunked', 'ffffffffffffffff1\r\n'), 400],
    ['an endless extension of a chunk', chunked('transfer-encoding: chunked', `5;${'x'.repeat(20_000)}\r\n`), 400],
    ['lines that end in LF', 'POST /graphql HTTP/1.1\nhost: x\ncontent-length: 0\n\n', 400],
    ['lines that end in CR', 'POST /graphql HTTP/1.1\rhost: x\r\r', 400],
    ['a folded header', also('x: a\r\n b'), 400],
    ['a header without a colon', also('nothing'), 400],
    ['a header with a NUL', also('x: a\0b'), 400],
    ['headers of 20 KB', also(`x: ${'y'.repeat(20_000)}`), 431],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['a hello of TLS', Buffer.concat([Buffer.from('160301020001000001fc0303', 'hex'), Buffer.alloc(99)]), 400],
    ['an expectation', also('expect: a miracle'), 417],
    // Callers
    ['nobody, with a document of his own', http({ headers: [] }), 403],
    ...['Bearer', 'Bearer ', 'Basic Og==', 'Bearer null', 'Bearer x,y', 'Digest x', token, `Bearer ${token},x`].map(
      (value): Form => [
        `the authorization ${value === token ? 'of a bare token' : value.slice(0, 12)}`,
        http({ headers: [`authorization: ${value}`] }),
        401,
      ],
    ),
    ['two authorizations', also('authorization: Bearer x'), 400],
    ['an authorization of 5 KB', http({ headers: [`authorization: Bearer ${'x'.repeat(5_000)}`] }), 431],
    // Pages of other origins
    ...['https://evil.example', 'null', 'file://', 'https://x.evil.example'].map(
      (origin): Form => [`the origin ${origin}`, also(`origin: ${origin}`), 403],
    ),
    [
      'a preflight of another origin',
      http({ method: 'OPTIONS', headers: ['origin: https://evil.example'], body: '' }),
      405,
    ],
    // Forms of answers
    ['an answer in a picture', also('accept: image/png'), 406],
    ['an Accept of 300 commas', also(`accept: ${','.repeat(300)}`), 431],
    // JSON
    ...[
      '',
      'null',
      '1',
      '"x"',
      '[]',
      `[${QUERY},${QUERY}]`,
      `${QUERY}x`,
      `/**/${QUERY}`,
      '{"query":NaN}',
      '{"__proto__":{"query":"{ a }"}}',
    ].map((body): Form => [`the body ${body.slice(0, 20)}`, posted(body), 400]),
    ['bytes that are no UTF-8', posted(Buffer.from([0x7b, 0xc0, 0x80, 0x7d])), 400],
    [
      'JSON nested 30,000 deep',
      posted(`{"query":"{ a }","variables":${'['.repeat(30_000)}${']'.repeat(30_000)}}`),
      400,
    ],
    ['an escaped NUL', posted('{"query":"{ menu(key: \\"\\\\u0000\\") { title } }"}'), 400],
    [
      'half a character in a variable',
      posted('{"query":"query($k:String!){menu(key:$k){title}}","variables":{"k":"\\ud800"}}'),
      400,
    ],
    ['a hash that is none', posted('{"documentId":"constructor"}'), 400],
    ['a hash that nobody knows', posted(`{"documentId":"${'0'.repeat(64)}"}`), 404],
    ['2 MB', posted(`{"query":"${'x'.repeat(2_000_000)}"}`), 413],
    // Documents
    ['fields 5,000 deep', document(`${'{a'.repeat(5_000)}${'}'.repeat(5_000)}`), 400],
    [
      'fields 14 deep',
      document(
        `{${'... on Query {'.repeat(0)}${'node(id:"x"){'.repeat(0)}menu(key:"main"){${'items{children{'.repeat(7)}key${'}}'.repeat(7)}}}`,
      ),
      400,
    ],
    ['100 aliases', document(`{ ${many(100, (at) => `a${at}: viewer { subject }`)} }`), 400],
    ['100 aliases of __typename', document(`{ ${many(100, (at) => `a${at}: __typename`)} }`), 400],
    ['300 times one field', document(`{ ${many(300, () => 'viewer { subject }')} }`), 400],
    ['100 directives', document(`{ viewer ${many(100, () => '@skip(if: false)')} { subject } }`), 400],
    [
      'fragments that double 30 times',
      document(
        `{...f0} ${many(30, (at) => `fragment f${at} on Query {...f${at + 1} ...f${at + 1}}`)} fragment f30 on Query {viewer{subject}}`,
      ),
      400,
    ],
    ['questions about the schema', document('{ __schema { types { name } } }'), 403],
    [
      'pages of pages',
      document(
        '{accounts(first:100){edges{node{transactions(from:"2026-01-01",to:"2026-12-31",first:100){edges{cursor}}}}}}',
      ),
      400,
    ],
    ['two operations and no choice', document('query A{viewer{subject}} query B{viewer{subject}}'), 400],
    ['a subscription for who takes JSON', document('subscription { menuChanged { key } }'), 406],
    // Told in GraphQL's own way, with 200 to who takes application/json
    ...[
      '{...A} fragment A on Query {...B} fragment B on Query {...A}',
      '{ meno(key: "main") { title } }',
      '{ tokens(status: ACTIV) { edges { cursor } } }',
      '{ menuList(first: 99999999999999999999) { edges { cursor } } }',
      '{ menuList(first: -1) { edges { cursor } } }',
      '{ menuList(after: "x") { edges { cursor } } }',
      '{ node(id: "X19wcm90b19fOng=") { id } }',
      '{ evaluateFlag(environment: "production", key: "__proto__", context: {__proto__: 1}) { value } }',
      '# nothing',
      `{ ${'x'.repeat(50_000)} "`,
    ].map((query): Form => [`the document ${query.slice(0, 40)}`, document(query), 200]),
  ];
}
