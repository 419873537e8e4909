'use strict';

// node scripts/format-c.js           formats the C and C++ files in place
// node scripts/format-c.js --check   says which are not formatted
//
// Needs clang-format, version 19 as in continuous integration for the same result.

const path = require('node:path');
const fs = require('node:fs');
const { ROOT, findProgram, run } = require('./tools');
const { CORE_FOLDERS, list } = require('./sources');

function testSources() {
  return ['native', 'fuzz'].flatMap((folder) => {
    const at = path.join(ROOT, 'test', folder);
    const names = fs.existsSync(at) ? fs.readdirSync(at) : [];
    return names.filter((name) => /\.[ch]$/.test(name)).map((name) => `test/${folder}/${name}`);
  });
}

const program = ['clang-format-19', 'clang-format'].find((name) => findProgram(name) !== null);
if (program === undefined) {
  console.error('format-c: there is no clang-format on this machine');
  process.exitCode = 1;
} else {
  const files = [...list([...CORE_FOLDERS, 'lua', 'include', 'binding'], ['.c', '.h', '.cc']), ...testSources()];
  const mode = process.argv.includes('--check') ? ['--dry-run', '-Werror'] : ['-i'];
  process.exitCode = run(program, [...mode, ...files]);
}
