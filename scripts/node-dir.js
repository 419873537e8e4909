'use strict';

// Where the C headers of the running Node are: the folder above include/node, which
// node-gyp and cmake-js call "nodedir".  Null when this Node came without headers.

const fs = require('node:fs');
const path = require('node:path');

module.exports = function nodeDir() {
  const prefix = path.resolve(fs.realpathSync(process.execPath), '..', '..');
  const headers = path.join(prefix, 'include', 'node');
  try {
    const text = fs.readFileSync(path.join(headers, 'node_version.h'), 'utf8');
    const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)[1];
    const version = `${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`;
    const usable = version === process.versions.node && fs.existsSync(path.join(headers, 'common.gypi'));
    return usable ? prefix : null;
  } catch {
    return null;
  }
};
