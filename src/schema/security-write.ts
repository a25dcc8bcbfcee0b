// Mutations of parameters and lists of security values.
import { changeSecurityList, putParameter } from '../resolvers/index.js';
import { builder } from './builder.js';
import { resultOf, settled } from './errors.js';
import { SecurityListKind, SecurityValue } from './security-value.js';
import { WriteOptions, WriteReceipt } from './write.js';

const PutParameterPayload = builder
  .objectRef<Awaited<ReturnType<typeof putParameter>>>('PutParameterPayload')
  .implement({
    access: 'inherited',
    description: 'The parameter as it was written.',
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt, description: 'What was written, and who sees it.' }),
      securityValue: t.expose('securityValue', { type: SecurityValue, description: 'The parameter.' }),
    }),
  });
const ChangeSecurityListPayload = builder
  .objectRef<Awaited<ReturnType<typeof changeSecurityList>>>('ChangeSecurityListPayload')
  .implement({
    access: 'inherited',
    description: 'What the change came to.',
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt, description: 'What was written, and who sees it.' }),
      securityValue: t.expose('securityValue', { type: SecurityValue, description: 'The list, without its members.' }),
      added: t.exposeInt('added', { description: 'Members that were not in the list.' }),
      removed: t.exposeInt('removed', { description: 'Members that were.' }),
    }),
  });

builder.mutationFields((t) => ({
  putParameter: t.field({
    type: resultOf(PutParameterPayload),
    access: 'security:write',
    description: 'Makes a parameter exactly this, whether it was there or not.',
    args: {
      name: t.arg.string({
        required: true,
        description: '1 to 200 letters, digits and . _ / -, with a letter or digit in front.',
      }),
      parameter: t.arg({ type: 'JSON', required: true, description: 'Any JSON but null.' }),
      schema: t.arg({
        type: 'JSON',
        description:
          'JSON Schema 2020-12 that this and every later parameter must satisfy. Left out: the one that stands; {} accepts everything.',
      }),
      options: t.arg({ type: WriteOptions, description: 'How the write is to be done.' }),
    },
    resolve: (_, { name, parameter, schema, options }, ctx) =>
      settled(putParameter(ctx, { name, parameter, schema }, options)),
  }),
  changeSecurityList: t.field({
    type: resultOf(ChangeSecurityListPayload),
    access: 'security:write',
    description: 'Adds and removes members, 10,000 at most together. A list is made by what is first added to it.',
    args: {
      name: t.arg.string({
        required: true,
        description: '1 to 200 letters, digits and . _ / -, with a letter or digit in front.',
      }),
      add: t.arg.stringList({
        description:
          '1 to 1,000 characters each, kept as they are; in a list of addresses, addresses and networks without bits behind their length.',
      }),
      remove: t.arg.stringList({
        description: 'Members to take out. A network goes as a whole: no hole is cut into a larger one.',
      }),
      kind: t.arg({
        type: SecurityListKind,
        description:
          'Of a list that is made now. Left out: ADDRESS when all that is added are addresses and networks, else TEXT. A list that stands keeps its kind.',
      }),
      options: t.arg({ type: WriteOptions, description: 'How the write is to be done.' }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(changeSecurityList(ctx, args, options)),
  }),
}));
