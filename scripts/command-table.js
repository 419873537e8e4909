'use strict';

// node scripts/command-table.js           writes the table of commands into README.md
// node scripts/command-table.js --check   fails when the table in README.md is out of date
//
// Counts, by group, the commands and subcommands that this server answers (as COMMAND
// tells) among all that Redis and Valkey have (commands.json: name, group, first version).
// Those of Sentinel are left out: a process in Sentinel's mode has them, and no data.

const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const README = path.join(ROOT, 'README.md');
const BEGIN = '<!-- commands:begin -->';
const END = '<!-- commands:end -->';

/** Every command and subcommand that the server has, as "config|get". */
function implemented() {
  const { createServer } = require('../dist');
  const { store } = createServer();
  const rows = [...store.call('COMMAND')];
  return new Set(rows.flatMap((row) => [row[0], ...[...row[9]].map((subcommand) => subcommand[0])]));
}

function table() {
  const known = require('./commands.json').filter((command) => command.group !== 'sentinel');
  const ours = implemented();
  const groups = [...new Set(known.map((command) => command.group))].sort();
  const rows = groups.map((group) => {
    const all = known.filter((command) => command.group === group);
    const here = all.filter((command) => ours.has(command.name));
    const lacking = all.filter((command) => !ours.has(command.name) && !command.name.includes('|'));
    const names = lacking.map((command) => command.name.toUpperCase());
    const told = here.length === 0 ? '' : names.slice(0, 8).join(', ') + (names.length > 8 ? ' ...' : '');
    return { group, here: here.length, all: all.length, told };
  });
  const total = rows.reduce((sum, row) => ({ here: sum.here + row.here, all: sum.all + row.all }), { here: 0, all: 0 });
  return [
    '',
    '| group | commands and subcommands | not there yet |',
    '|---|---|---|',
    ...rows.map((row) => `| ${row.group.replace('_', ' ')} | ${row.here} of ${row.all} | ${row.told} |`),
    `| **all** | **${total.here} of ${total.all}** | |`,
    '',
    'SENTINEL is not counted: only a Sentinel, which holds no data, has it.',
    '',
    '',
  ].join('\n');
}

const text = fs.readFileSync(README, 'utf8');
const from = text.indexOf(BEGIN) + BEGIN.length;
const to = text.indexOf(END);
if (to < from) throw new Error('README.md has no place for the table of commands');
const next = `${text.slice(0, from)}\n${table()}${text.slice(to)}`;
if (process.argv.includes('--check')) {
  if (next !== text) {
    console.error('The table of commands in README.md is out of date: npm run command-table');
    process.exitCode = 1;
  }
} else {
  fs.writeFileSync(README, next);
}
