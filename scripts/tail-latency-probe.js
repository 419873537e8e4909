'use strict';

// The probe of tail-latency.js: an open loop of the native generator, cut into slices of a
// quarter of a second so that latency can be shown over time.  A slice begins when its time
// has come, whether or not the one before has all of its replies.

const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('./tools');

// Threads wait in milliseconds and spin for what is left below one: at this rate, with two
// threads, that is little.
const PROBE_RATE = 1700;
const PROBE_THREADS = 2;
const SLICE_MS = 250;

const dist = (file) => require(path.join(ROOT, 'dist', file));

/** Whether the package has been built. */
function ready() {
  return fs.existsSync(path.join(ROOT, 'dist', 'bench', 'load.js'));
}

/** A load of one command, with values of 32 bytes. */
function load(port, words, more) {
  const fixed = { host: '127.0.0.1', port, password: null, threads: 1, connections: 4, idleConnections: 0 };
  const sizes = [{ min: 32, max: 32, weight: 1 }];
  const commands = [{ words, weight: 1 }];
  return { ...fixed, durationMs: 0, commandCount: 0, rate: 0, keys: 'uniform', sizes, commands, ...more };
}

/** Runs from its creation until stop(). */
class Probe {
  #slices = [];
  #stopped = false;
  #timer;
  #begun = performance.now();
  #request;

  constructor(port, keyCount) {
    this.#request = load(port, ['GET', '__key__'], {
      ...{ keyCount, rate: PROBE_RATE, durationMs: SLICE_MS, pipeline: 16, threads: PROBE_THREADS },
    });
    this.#next();
  }

  #next() {
    if (this.#stopped) return;
    this.#slices.push(dist('bench/load').runLoad(this.#request));
    const due = this.#begun + this.#slices.length * SLICE_MS;
    this.#timer = setTimeout(() => this.#next(), due - performance.now());
  }

  /** Resolves when the first slice, which pays for the start, is over. */
  async started() {
    await this.#slices[0];
  }

  /** The slice that runs now. */
  slice() {
    return this.#slices.length - 1;
  }

  /** Ends after the running slice: percentiles from slice 'from' on, and a series of all. */
  async stop(from) {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const { Latencies } = dist('bench/latency');
    const all = new Latencies();
    const series = [];
    for (const [index, result] of (await Promise.all(this.#slices)).entries()) {
      if (index < from) continue;
      const slice = new Latencies();
      slice.add(result.latencies);
      all.add(result.latencies);
      const { p50, p99, max } = slice.percentiles() ?? { p50: 0, p99: 0, max: 0 };
      series.push({ ms: (index - from) * SLICE_MS, p50, p99, max });
    }
    return { percentiles: all.percentiles(), series };
  }
}

module.exports = { PROBE_RATE, Probe, load, ready };
