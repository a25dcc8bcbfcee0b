// The mutations of tokens.
import { issueToken, revokeToken, revokeTokensOf, rotateToken } from '../resolvers/index.js';
import { builder } from './builder.js';
import { resultOf, settled } from './errors.js';
import { Token } from './token.js';
import { WriteOptions, WriteReceipt } from './write.js';

const RECEIPT = 'What was written, and who sees it.';
const OPTIONS = 'How to write.';

const IssueTokenInput = builder.inputType('IssueTokenInput', {
  description: 'A token to issue.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'What it is for, in words: 1 to 200 characters.' }),
    subject: t.string({ required: true, description: 'Whom the token stands for: 1 to 200 characters.' }),
    scopes: t.stringList({
      required: true,
      description:
        'What its bearer may do. Only scopes that you have, or any with tokens:grant; statements:read for another subject than yours takes statements:read-any.',
    }),
    expiresAt: t.field({ type: 'DateTime', description: 'Left out: never.' }),
  }),
});

const IssueTokenPayload = builder.objectRef<Awaited<ReturnType<typeof issueToken>>>('IssueTokenPayload').implement({
  access: 'inherited',
  description: 'A token that was issued.',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt, description: RECEIPT }),
    token: t.expose('token', { type: Token, description: 'The token.' }),
    secret: t.exposeString('secret', {
      nullable: true,
      description: 'Shown once; null when an idempotency key is replayed, and in a dry run.',
    }),
  }),
});

const RotateTokenPayload = builder.objectRef<Awaited<ReturnType<typeof rotateToken>>>('RotateTokenPayload').implement({
  access: 'inherited',
  description: 'A token that took the place of another.',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt, description: 'Its version is that of the replaced token.' }),
    token: t.expose('token', { type: Token, description: 'The new token.' }),
    secret: t.exposeString('secret', {
      nullable: true,
      description: 'Of the new token, shown once; null when an idempotency key is replayed, and in a dry run.',
    }),
    replaced: t.expose('replaced', { type: Token, description: 'The old token: revoked, or to expire.' }),
  }),
});

const RevokeTokenPayload = builder.objectRef<Awaited<ReturnType<typeof revokeToken>>>('RevokeTokenPayload').implement({
  access: 'inherited',
  description: 'A token that was revoked.',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt, description: RECEIPT }),
    token: t.expose('token', { type: Token, description: 'The token.' }),
  }),
});

const RevokeTokensOfPayload = builder
  .objectRef<Awaited<ReturnType<typeof revokeTokensOf>>>('RevokeTokensOfPayload')
  .implement({
    access: 'inherited',
    description: 'Tokens of one subject that were revoked.',
    fields: (t) => ({
      receipt: t.expose('receipt', {
        type: WriteReceipt,
        description: "Its version is the subject's: each change of one of its tokens is a new one.",
      }),
      revoked: t.exposeInt('revoked', { description: 'How many this mutation revoked; 0 when it is repeated.' }),
    }),
  });

builder.mutationFields((t) => ({
  issueToken: t.field({
    type: resultOf(IssueTokenPayload),
    access: 'tokens:write',
    description: 'Issues a token. Its secret is in this answer and nowhere else.',
    args: {
      input: t.arg({ type: IssueTokenInput, required: true, description: 'The token.' }),
      options: t.arg({ type: WriteOptions, description: OPTIONS }),
    },
    resolve: (_, { input, options }, ctx) => settled(issueToken(ctx, input, options)),
  }),
  rotateToken: t.field({
    type: resultOf(RotateTokenPayload),
    access: 'tokens:write',
    description:
      'Puts a new token of the same name, subject and scopes in the place of an old one, whose scopes you must be able to grant. An old token is rotated once.',
    args: {
      id: t.arg.id({ required: true, description: 'The old token.' }),
      overlapSeconds: t.arg.int({
        defaultValue: 0,
        description: 'How long the old token is still accepted, up to 30 days; 0 revokes it at once.',
      }),
      expiresAt: t.arg({
        type: 'DateTime',
        description: 'When the new token expires; left out, when the old one would have.',
      }),
      options: t.arg({ type: WriteOptions, description: 'expectedVersion is that of the old token.' }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(rotateToken(ctx, args, options)),
  }),
  revokeToken: t.field({
    type: resultOf(RevokeTokenPayload),
    access: 'tokens:write',
    description: 'Once acknowledged as visible, no gateway accepts the token. Revoking it again changes nothing.',
    args: {
      id: t.arg.id({ required: true, description: 'The token.' }),
      options: t.arg({ type: WriteOptions, description: OPTIONS }),
    },
    resolve: (_, { id, options }, ctx) => settled(revokeToken(ctx, id, options)),
  }),
  revokeTokensOf: t.field({
    type: resultOf(RevokeTokensOfPayload),
    access: 'tokens:write',
    description: 'Revokes all tokens of a subject. Once acknowledged as visible, no gateway accepts any of them.',
    args: {
      subject: t.arg.string({ required: true, description: 'Whose tokens; one without any is no error.' }),
      options: t.arg({ type: WriteOptions, description: "expectedVersion is the subject's, as the receipt has it." }),
    },
    resolve: (_, { subject, options }, ctx) => settled(revokeTokensOf(ctx, subject, options)),
  }),
}));
