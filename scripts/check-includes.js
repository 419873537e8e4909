'use strict';

// node scripts/check-includes.js               checks native/
// node scripts/check-includes.js --self-test   checks the check, on planted faults
//
// Includes under native/ run one way:
//   binding -> server -> (net, repl, persist, script, commands) -> exec -> rdb -> (proto, store) -> base
// and lua/, which stands on base/, is for script/ alone.
// A file may include its own folder and the folders of lower layers.  rln.h is for the
// server, which implements it, for the layer below, which speaks of events and reasons in
// its words, and for the binding.  bench/, the load generator, stands on base/ beside all of
// that: its rln_bench.h is for itself and the binding, which may include nothing else.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const LAYERS = [
  ['base'],
  ['proto', 'store', 'bench', 'lua'],
  ['rdb'],
  ['exec'],
  ['net', 'repl', 'persist', 'script', 'commands'],
  ['server'],
  ['binding'],
];
const LAYER_OF = new Map(LAYERS.flatMap((folders, layer) => folders.map((folder) => [folder, layer])));
const SOURCE = /\.(c|h|cc)$/;
const INCLUDE = /^[ \t]*#[ \t]*include[ \t]+"([^"]+)"/;

function walk(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const at = path.join(folder, entry.name);
    return entry.isDirectory() ? walk(at) : SOURCE.test(at) ? [at] : [];
  });
}

/** Why 'file' (relative to native/) may not include 'target', or null. */
function objection(native, file, target) {
  const from = file.split('/')[0];
  if (target === 'rln_bench.h' || target === 'include/rln_bench.h') {
    return from === 'bench' || from === 'binding' ? null : 'rln_bench.h is for bench/ and the binding';
  }
  if (target === 'rln.h' || target === 'include/rln.h') {
    const allowed = from === 'include' || LAYER_OF.get(from) >= LAYER_OF.get('net');
    return allowed ? null : `rln.h is above ${from}/`;
  }
  if (from === 'include') return 'a public header stands alone';
  const bindingOwn = from === 'binding' && fs.existsSync(path.join(native, path.dirname(file), target));
  if (bindingOwn && !target.includes('..')) return null;
  if (!fs.existsSync(path.join(native, target))) return 'no such file under native/ (write the path from there)';
  const to = target.split('/')[0];
  if (from === to) return null;
  if (from === 'binding') return 'the binding includes public headers only';
  if (!LAYER_OF.has(from) || !LAYER_OF.has(to)) return `${LAYER_OF.has(from) ? to : from}/ is in no layer`;
  if (to === 'lua' && from !== 'script') return 'lua/ is for script/';
  if (to === 'bench') return 'nothing of the server uses bench/';
  if (LAYER_OF.get(to) < LAYER_OF.get(from)) return null;
  return LAYER_OF.get(to) === LAYER_OF.get(from) ? `${from}/ and ${to}/ are neighbours` : `${to}/ is above ${from}/`;
}

/** Every include that runs the wrong way, as "file:line: what, why". */
function findViolations(native) {
  const violations = [];
  for (const at of walk(native)) {
    const file = path.relative(native, at).split(path.sep).join('/');
    if (!file.includes('/')) continue;
    fs.readFileSync(at, 'utf8')
      .split('\n')
      .forEach((line, index) => {
        const target = INCLUDE.exec(line)?.[1];
        const why = target === undefined ? null : objection(native, file, target);
        if (why !== null) violations.push(`native/${file}:${index + 1}: includes "${target}": ${why}`);
      });
  }
  return violations;
}

const PLANTED = {
  'include/rln.h': '',
  'include/rln_bench.h': '',
  'base/bytes.h': '#include "base/err.h"\n',
  'base/err.h': '',
  'base/bad.c': '#include "store/keyspace.h"\n',
  'base/worse.c': '#include "rln.h"\n',
  'store/keyspace.h': '#include <stdint.h>\n#include "base/bytes.h"\n',
  'store/bad.c': '#include "proto/reply.h"\n',
  'store/worse.c': '#include "rdb/value.h"\n',
  'proto/reply.h': '  #  include "base/bytes.h"\n',
  'rdb/value.h': '#include "store/keyspace.h"\n#include "exec/executor.c"\n',
  'exec/executor.c': '#include "store/keyspace.h"\n#include "proto/reply.h"\n#include "keyspace.h"\n',
  'bench/lane.h': '#include "base/bytes.h"\n#include "rln_bench.h"\n',
  'bench/load.c': '#include "bench/lane.h"\n#include "store/keyspace.h"\n#include "rln.h"\n',
  'net/worker.c': '#include "commands/none.h"\n#include "bench/lane.h"\n#include "rln_bench.h"\n',
  'server/server.c': '#include "rln.h"\n#include "exec/executor.c"\n',
  'binding/own.h': '',
  'binding/wrap.cc':
    '#include <napi.h>\n#include "rln.h"\n#include "own.h"\n#include "base/bytes.h"\n#include "rln_bench.h"\n',
};
const EXPECTED = [
  'base/bad.c:1',
  'base/worse.c:1',
  'bench/load.c:2',
  'bench/load.c:3',
  'binding/wrap.cc:4',
  'exec/executor.c:3',
  'net/worker.c:1',
  'net/worker.c:2',
  'net/worker.c:3',
  'rdb/value.h:2',
  'store/bad.c:1',
  'store/worse.c:1',
];

/** Plants right and wrong includes in an empty folder; true when exactly the wrong ones are found. */
function selfTest() {
  const native = fs.mkdtempSync(path.join(os.tmpdir(), 'check-includes-'));
  try {
    for (const [file, text] of Object.entries(PLANTED)) {
      fs.mkdirSync(path.join(native, path.dirname(file)), { recursive: true });
      fs.writeFileSync(path.join(native, file), text);
    }
    const found = findViolations(native)
      .map((line) => /^native\/([^:]+:\d+):/.exec(line)?.[1])
      .sort();
    const right = JSON.stringify(found) === JSON.stringify(EXPECTED);
    if (!right) console.error(`check-includes: self-test found ${found.join(', ')}, expected ${EXPECTED.join(', ')}`);
    return right;
  } finally {
    fs.rmSync(native, { recursive: true });
  }
}

function main(args) {
  if (args[0] === '--self-test') return selfTest() ? 0 : 1;
  const violations = findViolations(path.join(__dirname, '..', 'native'));
  for (const line of violations) console.error(line);
  return violations.length === 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
