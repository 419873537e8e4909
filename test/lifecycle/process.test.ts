/**
 * A process with a server ends well at each step of the server's life: by itself, by
 * process.exit(), by a thrown error, in a worker thread.  No signal kills it, no thread
 * outlives it, and nothing hangs.
 */

import { once } from 'node:events';
import net from 'node:net';
import { runScript } from './child';

const CLEAN = { code: 0, signal: null, errors: '' };

describe('a process that returns from its script', () => {
  test.each([
    ['after creating a server', 'rln.createServer(OPTIONS);'],
    ['after using the store of a server that never ran', "rln.createServer(OPTIONS).store.set('k', 'v');"],
    ['after a stop', 'const s = rln.createServer(OPTIONS); await s.start(); await s.stop();'],
    ['with an unref’d running server', 'const s = rln.createServer(OPTIONS).unref(); await s.start();'],
    ['with a server unref’d later', 'const s = rln.createServer(OPTIONS); await s.start(); s.unref();'],
    ['while an unref’d server starts', 'rln.createServer(OPTIONS).unref().start();'],
    ['while a server stops', 'const s = rln.createServer(OPTIONS); await s.start(); s.stop();'],
    ['with a failed start behind it', "await rln.createServer({ port: 0, bind: '192.0.2.1' }).start().catch(() => 0);"],
    [
      'with an open stream of events',
      'const s = rln.createServer(OPTIONS); s.events().next(); await s.start(); await s.stop();',
    ],
  ])('%s ends with 0', async (_, script) => {
    expect(await runScript(script).ended).toMatchObject(CLEAN);
  });
});

describe('process.exit()', () => {
  test.each([
    ['before the start', 'rln.createServer(OPTIONS); process.exit(3);'],
    ['during the start', 'rln.createServer(OPTIONS).start(); process.exit(3);'],
    ['while running', 'await rln.createServer(OPTIONS).start(); process.exit(3);'],
    [
      'while busy',
      "const s = rln.createServer(OPTIONS); await s.start(); const busy = () => { for (let i = 0; i < 1000; i++) s.store.set('k' + i, i); setImmediate(busy); }; busy(); setTimeout(() => process.exit(3), 50);",
    ],
    ['during the stop', 'const s = rln.createServer(OPTIONS); await s.start(); s.stop(); process.exit(3);'],
    ['after the stop', 'const s = rln.createServer(OPTIONS); await s.start(); await s.stop(); process.exit(3);'],
    [
      'inside a listener',
      "const s = rln.createServer(OPTIONS); s.on('listening', () => process.exit(3)); await s.start();",
    ],
  ])('%s is obeyed at once', async (_, script) => {
    expect(await runScript(script).ended).toMatchObject({ code: 3, signal: null, errors: '' });
  });
});

test('a running server keeps the process alive until it is stopped', async () => {
  const child = runScript(
    "const s = rln.createServer(OPTIONS); await s.start(); setTimeout(() => { console.log('late'); s.stop(); }, 200).unref();",
  );
  expect(await child.ended).toMatchObject({ ...CLEAN, output: 'late\n' });
});

test('what a listener throws becomes an uncaught exception and does not stop the others', async () => {
  const child = runScript(`
    const s = rln.createServer(OPTIONS);
    process.on('uncaughtException', (error) => { console.log('caught ' + error.message); });
    s.on('listening', () => { throw new Error('mine'); });
    s.on('listening', () => console.log('second'));
    await s.start();
    await s.stop();`);
  expect(await child.ended).toMatchObject({ ...CLEAN, output: 'second\ncaught mine\n' });
});

test('an uncaught exception ends the process with 1 although a server runs', async () => {
  const child = runScript("await rln.createServer(OPTIONS).start(); setImmediate(() => { throw new Error('mine'); });");
  expect(await child.ended).toMatchObject({ code: 1, signal: null });
});

test('signals are left alone by default: SIGTERM ends the process as it ends any other', async () => {
  const child = runScript("await rln.createServer(OPTIONS).start(); console.log('up');");
  await child.saw('up');
  child.process.kill('SIGTERM');
  expect(await child.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
});

test('with handleSignals SIGTERM stops the server, and the process goes on', async () => {
  const child = runScript(`
    const s = rln.createServer({ ...OPTIONS, handleSignals: true });
    s.on('stopping', (event) => console.log(event.reason, event.signal));
    s.on('stopped', (event) => console.log('stopped', event.reason));
    await s.start();
    console.log('up');`);
  await child.saw('up');
  child.process.kill('SIGTERM');
  expect(await child.ended).toMatchObject({ ...CLEAN, output: 'up\nsignal SIGTERM\nstopped signal\n' });
});

test('fifty servers one after the other leave no thread behind', async () => {
  const child = runScript(`
    const threads = () => require('node:fs').existsSync('/proc/self/task') ? require('node:fs').readdirSync('/proc/self/task').length : 0;
    const once = async () => { const s = rln.createServer({ ...OPTIONS, workers: 2 }); await s.start(); s.store.set('k', 'v'); await s.stop(); };
    await once();
    const before = threads();
    for (let i = 0; i < 50; i++) await once();
    console.log(threads() - before <= 0);`);
  expect(await child.ended).toMatchObject({ ...CLEAN, output: 'true\n' });
});

/** Connects, sends and leaves, over and over, until `over` says so; a refused connection is no error. */
async function churn(port: number, over: () => boolean): Promise<void> {
  while (!over()) {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('SET k v\r\nGET k\r\nPING\r\n');
    await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => undefined);
    socket.destroy();
  }
}

test.each([
  ['stop()', 's.stop();', 0],
  ['process.exit()', 'process.exit(3);', 3],
  ['requestless exit of an unref’d server', 's.unref(); clearInterval(timer);', 0],
])('%s while clients come and go ends well', async (_, how, code) => {
  const child = runScript(`
    const s = rln.createServer(OPTIONS);
    let events = 0;
    (async () => { for await (const event of s.events()) events += event.type.length; })();
    s.on('client-connected', () => { events += 1; });
    await s.start();
    const timer = setInterval(() => s.store.set('t', events), 1);
    console.log('port', s.port);
    setTimeout(() => { clearInterval(timer); ${how} }, 300);`);
  const [, port] = await child.saw(/port (\d+)/);
  let over = false;
  void child.ended.then(() => {
    over = true;
  });
  await Promise.all(Array.from({ length: 20 }, () => churn(Number(port), () => over)));
  expect(await child.ended).toMatchObject({ code, signal: null, errors: '' });
});

test('servers that nobody holds any more are collected with their stores', async () => {
  const child = runScript(`
    const gc = (require('node:v8').setFlagsFromString('--expose-gc'), require('node:vm').runInNewContext('gc'));
    let collected = 0;
    const registry = new FinalizationRegistry(() => { collected += 1; });
    const live = async () => { const s = rln.createServer(OPTIONS); registry.register(s, 1); s.on('listening', () => s.port); await s.start(); s.store.set('k', 'v'); await s.stop(); };
    for (let i = 0; i < 10; i++) await live();
    for (let i = 0; i < 20 && collected < 9; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
    console.log(collected >= 9);`);
  expect(await child.ended).toMatchObject({ ...CLEAN, output: 'true\n' });
});

describe('a worker thread', () => {
  const inWorker = (body: string, then: string): string => `
    const { Worker } = require('node:worker_threads');
    const code = \`const rln = require(\${JSON.stringify(${JSON.stringify(require('node:path').join(__dirname, '../..'))})});
      const { parentPort } = require('node:worker_threads');
      (async () => { const s = rln.createServer({ port: 0, bind: '127.0.0.1' }); ${body} })();\`;
    const worker = new Worker(code, { eval: true });
    const ended = new Promise((resolve) => worker.on('exit', (code) => resolve(code)));
    ${then}`;

  test.each([
    ['ends by itself after a stop', 'await s.start(); await s.stop();', 'console.log(await ended);', '0\n'],
    ['ends with an unref’d server', 's.unref(); await s.start();', 'console.log(await ended);', '0\n'],
    [
      'is terminated while its server runs',
      "await s.start(); parentPort.postMessage('up');",
      "worker.on('message', () => worker.terminate()); console.log(await ended);",
      '1\n',
    ],
    [
      'is terminated while its server starts',
      "s.start(); parentPort.postMessage('up'); for (;;);",
      "worker.on('message', () => worker.terminate()); console.log(await ended);",
      '1\n',
    ],
    ['calls process.exit()', 'await s.start(); process.exit(0);', 'console.log(await ended);', '0\n'],
  ])('%s', async (_, body, then, output) => {
    expect(await runScript(inWorker(body, then)).ended).toMatchObject({ ...CLEAN, output });
  });

  test('has a server of its own beside that of the main thread', async () => {
    const child = runScript(`
      const main = rln.createServer(OPTIONS);
      await main.start();
      main.store.set('who', 'main');
      ${inWorker("await s.start(); parentPort.postMessage([s.port, s.store.get('who')]); await s.stop();", "worker.on('message', ([port, who]) => console.log(port !== main.port, who)); await ended; await main.stop();")}`);
    expect(await child.ended).toMatchObject({ ...CLEAN, output: 'true null\n' });
  });
});
