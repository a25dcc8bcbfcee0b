// Checks what the project is made of, by package.json and package-lock.json alone: exact versions, a digest for every
// package, install scripts that somebody has allowed or forbidden by name, and licences that ask for nothing but a notice.
import { readFileSync } from 'node:fs';

const read = (name) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));
const project = read('package.json');
const packages = Object.entries(read('package-lock.json').packages).filter(([path]) => path !== '');

const LICENCES = /^(0BSD|Apache-2\.0|BlueOak-1\.0\.0|BSD-[23]-Clause|ISC|MIT|MIT OR Apache-2\.0|Unlicense)$/;
const nameOf = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

const declared = ['dependencies', 'devDependencies', 'optionalDependencies', 'overrides'].flatMap((kind) =>
  Object.entries(project[kind] ?? {}),
);
const loose = declared.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
const undigested = packages.filter(([, { integrity, link }]) => !link && !integrity?.startsWith('sha512-'));
const scripted = packages.filter(
  ([path, { hasInstallScript }]) => hasInstallScript && !(nameOf(path) in (project.allowScripts ?? {})),
);
const shipped = packages.filter(([, { dev }]) => !dev);
const bound = shipped.filter(([, { license }]) => !LICENCES.test(license ?? ''));

const faults = [
  ...loose.map(([name, version]) => `${name} ${version}: give an exact version`),
  ...undigested.map(([path]) => `${path}: has no sha512 digest in package-lock.json; install it anew`),
  ...scripted.map(([path]) => `${path}: runs a script when installed; say in allowScripts whether it may`),
  ...bound.map(
    ([path, { license }]) => `${path}: has the licence ${license ?? '(none)'}; read it before it is shipped`,
  ),
];

const counts = new Map();
for (const [, { license }] of shipped) counts.set(license, (counts.get(license) ?? 0) + 1);
console.log(`${packages.length} packages, ${shipped.length} of them shipped or optional:`);
for (const [licence, count] of [...counts].sort(([, one], [, other]) => other - one))
  console.log(`  ${count} ${licence}`);
for (const fault of faults) console.log(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
