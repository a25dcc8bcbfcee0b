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
    title:
      'Is this address in the networks of the list? Written in whatever form; a network asks whether all of it is.',
    document: `${tokenOf('security-officer')}query InNetworks {
  securityListContains(name: "office-networks", members: ["192.0.2.77", "::ffff:192.0.2.77", "2001:db8:1::/48", "203.0.113.9"])
}`,
  },
  {
    title: 'Security values of all kinds; of a secret never the value.',
    document: `${tokenOf('security-officer')}query SecurityValues {
  securityValues(first: 20) {
    edges { node { name kind parameter memberCount listKind currentVersion rotationDue version } }
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
    title: 'Rotate a secret: the version before can be revealed for an hour more, and not after it.',
    document: `${tokenOf('security-officer')}mutation RotateSecret {
  rotateSecret(name: "partner-api-key", value: "demo-key-of-another-partner", overlapSeconds: 3600) {
    ... on RotateSecretPayload { receipt { version visible } securityValue { currentVersion versions { number state validUntil } } }
    ... on UserError { code message path }
  }
}`,
  },
  {
    title: 'Bring the first version of a secret back.',
    document: `${tokenOf('security-officer')}mutation RestoreSecret {
  restoreSecret(name: "partner-api-key", version: 1) {
    ... on RestoreSecretPayload { receipt { version visible } securityValue { currentVersion versions { number state } } }
    ... on UserError { code message path }
  }
}`,
  },
  {
    title: 'Destroy a version for good. This is a dry run: take it out, and the value is gone.',
    document: `${tokenOf('security-officer')}mutation DestroySecretVersion {
  destroySecretVersion(name: "partner-api-key", version: 1, options: { dryRun: true, reason: "it was leaked" }) {
    ... on DestroySecretVersionPayload { receipt { dryRun visible } securityValue { currentVersion versions { number state } } }
    ... on UserError { code message path }
  }
}`,
  },
  {
    title: 'Secrets whose rotation is due.',
    document: `${tokenOf('security-officer')}query RotationDue {
  securityValues(kind: SECRET, rotationDue: true) {
    edges { node { name rotateEveryDays rotationDue versions { number state createdAt createdBy } } }
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
