'use strict';

// node scripts/prebuild.js
//
// Builds the addon for release, with link-time optimisation, into prebuilds/ under a
// name that tells the system, the processor and, on Linux, the C library.  One file serves every
// supported Node, for it uses Node-API only.  Afterwards build/Release is empty: run
// "npm run build" to go on working in this checkout.

const { runWithHeaders } = require('./with-headers');

const target = process.env.npm_config_target ?? process.versions.node;
const libc = process.platform === 'linux' ? ['--tag-libc'] : [];
const options = ['--napi', '--strip', ...libc, '-t', target];
process.exitCode = runWithHeaders('prebuildify', options, { GYP_DEFINES: 'rln_lto=true' });
