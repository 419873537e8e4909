'use strict';

// node scripts/sources.js core      every C file of the core
// node scripts/sources.js binding   every C++ file of the Node binding
// node scripts/sources.js lua       the files of Lua (package lua-src) that the core is linked with,
//                                   and those of native/lua that stand for others of it
// node scripts/sources.js lua-dir   their folder
//
// One path a line, relative to the package.  binding.gyp and native/CMakeLists.txt both
// ask here, so that a new file is registered nowhere.

const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');

/** The core's folders, lowest layer first; those that do not exist are passed over. */
const CORE_FOLDERS = [
  'base',
  'store',
  'proto',
  'rdb',
  'exec',
  'commands',
  'script',
  'persist',
  'repl',
  'net',
  'server',
  'bench',
];

/** A file that ends so belongs to one system and is compiled there alone. */
const SYSTEM_SUFFIX = { _linux: 'linux', _darwin: 'darwin' };

function walk(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const at = path.join(folder, entry.name);
    return entry.isDirectory() ? walk(at) : [at];
  });
}

const relative = (file) => path.relative(ROOT, file).split(path.sep).join('/');

function isForThisSystem(file) {
  const stem = path.basename(file, path.extname(file));
  const suffix = Object.keys(SYSTEM_SUFFIX).find((ending) => stem.endsWith(ending));
  return suffix === undefined || SYSTEM_SUFFIX[suffix] === process.platform;
}

/** Files under 'folders' of native/ with one of 'extensions', relative to the package, sorted. */
function list(folders, extensions) {
  return folders
    .flatMap((folder) => walk(path.join(ROOT, 'native', folder)))
    .filter((file) => extensions.includes(path.extname(file)))
    .map(relative)
    .sort();
}

const coreSources = () => list(CORE_FOLDERS, ['.c']).filter(isForThisSystem);
const bindingSources = () => list(['binding'], ['.cc']);

/** Where lua-src keeps its C files; npm may have put the package above this one. */
const luaFolder = () => path.join(path.dirname(require.resolve('lua-src/package.json')), 'src');

/**
 * What scripts have no use for is not even linked: the two programs, the libraries of files,
 * processes, loading and debugging, and the list that opens them all.
 */
const LUA_LEFT_OUT = ['lua.c', 'luac.c', 'linit.c', 'liolib.c', 'loslib.c', 'loadlib.c', 'ldblib.c'];

/** native/lua/lua_x.c stands for lx.c, which it includes. */
const luaStandIns = () => list(['lua'], ['.c']);
const standsFor = (file) => path.basename(file).replace(/^lua_/, 'l');

function luaSources() {
  const leftOut = [...LUA_LEFT_OUT, ...luaStandIns().map(standsFor)];
  const own = walk(luaFolder()).filter((file) => file.endsWith('.c') && !leftOut.includes(path.basename(file)));
  return [...own.map(relative), ...luaStandIns()].sort();
}

module.exports = { ROOT, CORE_FOLDERS, list, coreSources, bindingSources };

if (require.main === module) {
  const sources = {
    core: coreSources,
    binding: bindingSources,
    lua: luaSources,
    'lua-dir': () => [relative(luaFolder())],
  }[process.argv[2]];
  if (sources === undefined) {
    console.error('usage: node scripts/sources.js core|binding|lua|lua-dir');
    process.exit(2);
  }
  console.log(sources().join('\n'));
}
