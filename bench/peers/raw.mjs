// The limit that Node sets: node:http and one GET of ready bytes from Redis ("raw"), or bytes that never change
// ("constant"). There is no GraphQL and no authentication here; misses and writes are done by hand.
import { hash } from 'node:crypto';
import { createServer } from 'node:http';
import { parse } from 'graphql';
import { Redis } from 'ioredis';
import { openDocuments } from './documents.mjs';
import { introspectionOf, mayRead } from './schema.mjs';
import { listen, setting } from './serve.mjs';

const redis = new Redis(setting.redisUrl);
const documents = openDocuments(setting);
const LIFE_S = 3_600;
const constant = Buffer.from(JSON.stringify({ data: { menu: { title: 'Menu', items: 'x'.repeat(4_000) } } }));

listen(createServer(setting.side === 'constant' ? serveConstant : serve));

function serveConstant(request, response) {
  request.on('data', () => {}).on('end', () => send(response, constant));
}

function serve(request, response) {
  let body;
  request
    .on('data', (chunk) => {
      body = body === undefined ? chunk : Buffer.concat([body, chunk]);
    })
    .on('end', () => {
      answerTo(request.headers.authorization ?? '', body).then(
        (bytes) => send(response, bytes),
        (error) => send(response, Buffer.from(JSON.stringify({ errors: [{ message: error.message }] }))),
      );
    });
}

function send(response, bytes) {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
}

async function answerTo(authorization, body) {
  const { operationName, query, variables } = JSON.parse(body);
  if (operationName === 'Rename') return rename(variables);
  const name =
    operationName === 'Menu' ? menuName(variables.key) : hash('sha1', `${operationName} ${authorization} ${body}`);
  const ready = await redis.getBuffer(name);
  if (ready !== null) return ready;
  const data = await read(operationName, variables, authorization);
  const bytes = Buffer.from(JSON.stringify({ data: select(data, selectionOf(query)) }));
  void redis.set(name, bytes, 'EX', LIFE_S);
  return bytes;
}

const menuName = (key) => `Menu:${key}`;

async function rename({ key, item, label }) {
  const id = await documents.rename(key, item, label);
  await redis.del(menuName(key));
  const renameMenuItem = { __typename: 'RenameMenuItemPayload', menu: { id } };
  return Buffer.from(JSON.stringify({ data: { renameMenuItem } }));
}

async function read(operationName, variables, authorization) {
  switch (operationName) {
    case 'Menu':
    case 'LargeMenu':
      return { menu: await documents.menu(variables.key) };
    case 'Batch':
      return { menus: await Promise.all(variables.keys.map((key) => documents.menu(key))) };
    case 'Flags':
      return { flags: await documents.flags(variables.environment) };
    case 'Introspect':
      return { introspectToken: introspectionOf(await documents.token(documents.digestOf(variables.token))) };
    default: {
      const caller = await documents.token(documents.digestOf(authorization.slice('Bearer '.length)));
      const found = await documents.statement(variables.account);
      return { statement: found && mayRead(caller, found) ? found : null };
    }
  }
}

const selections = new Map();

function selectionOf(query) {
  const known = selections.get(query) ?? parse(query).definitions[0].selectionSet;
  selections.set(query, known);
  return known;
}

function select(value, selection) {
  if (value === null || !selection) return value;
  if (Array.isArray(value)) return value.map((item) => select(item, selection));
  return Object.fromEntries(
    selection.selections.map(({ name, selectionSet }) => [name.value, select(value[name.value] ?? null, selectionSet)]),
  );
}
