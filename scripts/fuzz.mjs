// Holds every claim about hostile input against as many inputs as one likes; see test/fuzz/main.ts.
import { main } from '../test/fuzz/main.ts';

process.exit(await main(process.argv.slice(2)));
