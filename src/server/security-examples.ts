// Operations on security values to begin with.
import { type Example, tokenOf } from './example.js';

export const securityExamples: readonly Example[] = [
  {
    title: 'Is it on the deny list? One round-trip for up to 1,000 members; an unknown list is an error, never a "no".',
    document: `${tokenOf('security-officer')}query ListContains {
  securityListContains(name: "blocked-domains", members: ["spam.test", "example.com"])
}`,
  },
  {
    title: 'Security values of all kinds; of a secret never the value.',
    document: `${tokenOf('security-officer')}query SecurityValues {
  securityValues(first: 20) {
    edges { node { name kind parameter memberCount currentVersion rotationDue version } }
    pageInfo { hasNextPage endCursor }
  }
}`,
  },
  {
    title: 'A parameter that its schema refuses: make minLength 8 or more, and it is taken.',
    document: `${tokenOf('security-officer')}mutation PutParameter {
  putParameter(name: "password-policy", parameter: { minLength: 7 }) {
    ... on PutParameterPayload { receipt { version visible } securityValue { parameter schema } }
    ... on UserError { code message path }
  }
}`,
  },
  {
    title: 'Change a deny list: only the members named move to Redis.',
    document: `${tokenOf('security-officer')}mutation ChangeSecurityList {
  changeSecurityList(name: "blocked-domains", add: ["more-spam.test"], remove: ["no-reply.invalid"]) {
    ... on ChangeSecurityListPayload { added removed receipt { version visible } securityValue { memberCount } }
    ... on UserError { code message path }
  }
}`,
  },
  {
    title: 'The value of a secret; the reveal is in the audit log before it answers.',
    document: `${tokenOf('security-officer')}mutation RevealSecret {
  revealSecret(name: "partner-api-key", reason: "trying it out") {
    ... on RevealSecretPayload { value version changeId }
    ... on UserError { code message path }
  }
}`,
  },
];
