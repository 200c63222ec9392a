#!/usr/bin/env node
// `asura` from any folder: through the one door, which finds a Node that is new enough.
process.env.ASURA_FOLDER = process.cwd();
process.argv.splice(2, 0, 'asura');
await import('./run.mjs');
