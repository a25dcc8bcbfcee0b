// The command line: which commands there are, what they take, and what they return to the shell.

import { Command, CommanderError } from 'commander';
import { tellFailure } from './failure.js';
import type { MenuFlags } from './import.js';
import type { Terminal } from './terminal.js';

/**
 * Runs one command; resolves to its exit code, and never rejects.
 * 0: done, though single records may have been refused. 1: failed as a whole. 2: called wrongly. 130: interrupted.
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = 0;
  const program = programFor(terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return tellFailure(error, terminal);
  }
}

// Commands are loaded when they are called: help and mistakes answer at once.
function programFor(terminal: Terminal, exit: (code: number) => void): Command {
  const program = new Command('espelho');
  program
    .description('A GraphQL gateway with cached resolvers, and the commands beside it.')
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: (text) => void terminal.err.write(text) })
    .showHelpAfterError('(see --help)')
    .showSuggestionAfterError();

  program
    .command('serve')
    .description('Run the gateway. The environment configures it.')
    .action(async () => {
      const { serve } = await import('../main.js');
      await serve(terminal.env);
    });

  program
    .command('worker', { hidden: true })
    .description('One of the processes that "serve" starts where WORKERS is set.')
    .action(async () => {
      const { work } = await import('../main.js');
      await work(terminal.env);
    });

  program
    .command('migrate')
    .description('Bring the database to the schema of this version.')
    .action(async () => {
      const { migrateDatabase } = await import('./migrate.js');
      await migrateDatabase(terminal);
    });

  addImport(program, terminal, exit);
  addToken(program, terminal);

  program
    .command('inspect')
    .description('Show what the cache holds of one entry.')
    .argument('<view>', 'such as menu, account, statement')
    .argument('<key>', 'such as main:en, or 4711/2025-01-31')
    .option('--json', 'print JSON')
    .action(async (view: string, key: string, options: { json?: true }) => {
      const { inspect } = await import('./inspect.js');
      await inspect({ view, key, json: options.json ?? false }, terminal);
    });

  program
    .command('warm')
    .description('Fill the entries of a view from SQL before anybody asks, such as after a cold start.')
    .argument('<view>', 'such as menu, account, statement')
    .option('--json', 'print JSON')
    .action(async (view: string, options: { json?: true }) => {
      const { warm } = await import('./warm.js');
      await warm({ view, json: options.json ?? false }, terminal);
    });

  program
    .command('rekey')
    .description('Put all secrets under the new master key, while the gateways serve. May be broken off and run again.')
    .option('--dry-run', 'open every data key, write nothing')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nESPELHO_MASTER_KEY is the new key, ESPELHO_MASTER_KEY_OLD the one before it.')
    .action(async (options: Flags) => {
      const { rekey } = await import('./rekey.js');
      exit(await rekey(options, terminal));
    });

  program
    .command('verify')
    .description('Compare what the cache holds with SQL, while the gateways serve. Exits with 1 if an entry is wrong.')
    .argument('[view]', 'such as menu, account, statement; else all of them')
    .option('--key <key>', 'this entry alone, such as main:en')
    .option('--repair', 'drop what is wrong; the next reader fills it from SQL')
    .option('--json', 'print a line of JSON for each difference and each view')
    .action(async (view: string | undefined, options: { key?: string; repair?: true; json?: true }) => {
      const { verify } = await import('./verify.js');
      const { key, repair = false, json = false } = options;
      exit(await verify({ view, key, repair, json }, terminal));
    });

  program
    .command('audit')
    .description('The audit log, whose rows are sealed with a key that the database does not have.')
    .command('verify')
    .description('Find what was edited, deleted, added or moved in the audit log. Exits with 1 if anything was.')
    .option('--head <head>', 'of an earlier run, or from the log of a gateway: tells whether the end was cut off since')
    .option('--json', 'print the report as JSON')
    .action(async (options: { head?: string; json?: true }) => {
      const { verifyAudit } = await import('./audit.js');
      exit(await verifyAudit(options, terminal));
    });
  return program;
}

function addImport(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const imports = program.command('import').description('Bring files into the database.');
  imports
    .command('menus')
    .description('Make each file a menu, exactly as the file says.')
    .argument('<file...>', 'taxonomy text or nested JSON, may be gzip')
    .option('--format <format>', 'taxonomy or json; else what each file looks like')
    .option('--key <key>', "the menu's key; else the file's name without its endings")
    .option('--locale <locale>', "the menu's locale; else what the file's name ends in, or en")
    .option('--title <title>', "the menu's title; else what the file or the menu has")
    .option('--part <names>', 'of JSON, names between dots that lead to the menu in it, such as header.links')
    .option('--labels <file...>', 'of JSON, files with the labels that it names, one per locale, such as pt-BR.json')
    .option('--dry-run', 'check everything, write nothing')
    .option('--json', 'print the report as JSON')
    .action(async (files: string[], options: { format?: string } & MenuFlags & Flags) => {
      const { importMenus } = await import('./import.js');
      exit(await importMenus(files, options, terminal));
    });
  imports
    .command('flags')
    .description('Make flags of an environment exactly what the files say.')
    .argument('<file...>', "flagd's JSON or Unleash's, may be gzip")
    .requiredOption('--environment <key>', 'made, not public, where there is none')
    .option('--format <format>', 'flagd or unleash; else what each file looks like')
    .option('--dry-run', 'check everything, write nothing')
    .option('--json', 'print the report as JSON')
    .action(async (files: string[], options: { format?: string; environment: string } & Flags) => {
      const { importFlagFiles } = await import('./import.js');
      exit(await importFlagFiles(files, options, terminal));
    });
  imports
    .command('lists')
    .description('Make a list of security values exactly what the files say together.')
    .argument('<file...>', 'a member a line, or JSON; may be gzip')
    .requiredOption('--name <name>', 'of the list, made where there is none')
    .option('--format <format>', 'text or json; else by how each file is named or begins')
    .option('--kind <kind>', 'text or address; else what the list is, or a new one looks like')
    .option('--dry-run', 'check everything, write nothing')
    .option('--json', 'print the report as JSON')
    .action(async (files: string[], options: { format?: string; kind?: string; name: string } & Flags) => {
      const { importSecurityLists } = await import('./import.js');
      exit(await importSecurityLists(files, options, terminal));
    });
  imports
    .command('parameters')
    .description('Make each file, a JSON document, a parameter.')
    .argument('<file...>', 'JSON, may be gzip')
    .option('--name <name>', "of the parameter; of several files, what goes before the files' names: name/file")
    .option('--dry-run', 'check everything, write nothing')
    .option('--json', 'print the report as JSON')
    .action(async (files: string[], options: { name?: string } & Flags) => {
      const { importParameterFiles } = await import('./import.js');
      exit(await importParameterFiles(files, options, terminal));
    });
  imports
    .command('statements')
    .description('Bring in accounts and days of bank statements.')
    .argument('<file...>', 'read together; may be gzip')
    .option('--format <format>', 'ofx, camt, mt940, csv or berka; else found by what each file holds')
    .option('--currency <code>', 'ISO 4217, for files that name none')
    .option('--account <number>', 'for CSV files that name none')
    .option('--holder <subject>', 'of new accounts whose file names none: who may read them')
    .option('--time-zone <zone>', 'of new accounts, such as Europe/Prague')
    .option('--dry-run', 'check everything, write nothing')
    .option('--json', 'print the report as JSON')
    .action(async (files: string[], options: StatementOptions) => {
      const { importStatementFiles } = await import('./import.js');
      exit(await importStatementFiles(files, options, terminal));
    });
}

function addToken(program: Command, terminal: Terminal): void {
  program
    .command('token')
    .description('Tokens that callers authenticate with.')
    .command('issue')
    .description('Issue a token. Its secret is printed once and kept nowhere.')
    .requiredOption('--name <name>', 'what it is for')
    .requiredOption('--subject <subject>', 'who bears it')
    .requiredOption('--scopes <scopes>', 'what it may do, such as menus:read,menus:write')
    .option('--expires-at <time>', 'such as 2030-01-31T00:00:00Z; else it does not expire')
    .option('--json', 'print JSON')
    .action(async (options: { name: string; subject: string; scopes: string; expiresAt?: string; json?: true }) => {
      const { issueToken } = await import('./token.js');
      await issueToken(options, terminal);
    });
}

interface Flags {
  readonly dryRun?: true;
  readonly json?: true;
}

interface StatementOptions extends Flags {
  readonly format?: string;
  readonly currency?: string;
  readonly account?: string;
  readonly holder?: string;
  readonly timeZone?: string;
}
