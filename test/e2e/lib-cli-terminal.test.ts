/** `cli` with a person in front of it: on a terminal of its own, which `script` of util-linux makes. */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Child, cleanEnvironment, type Ending, watch } from '../lifecycle/child';
import { ServerProcess, sleep } from '../support/server';

const PROGRAM = path.join(__dirname, '../../dist/cli/main.js');
/** Between two lines, for a person waits for the answer too. */
const REACTION_MS = 300;
const ENTER = '\r';
const TAB = '\t';
const UP = '\x1b[A';
const CTRL_C = '\x03';
const CTRL_D = '\x04';

const describeTerminal = process.platform === 'linux' && fs.existsSync('/usr/bin/script') ? describe : describe.skip;

describeTerminal('cli on a terminal', () => {
  let home: string;
  let server: ServerProcess;

  beforeAll(async () => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'rln-terminal-'));
    server = await ServerProcess.start();
  });

  afterAll(async () => {
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    fs.rmSync(home, { recursive: true });
  });

  function open(extra: NodeJS.ProcessEnv = {}): Child {
    const command = `${process.execPath} ${PROGRAM} cli -p ${server.port}`;
    const env = { ...cleanEnvironment(extra), HOME: home, TERM: 'xterm' };
    return watch(spawn('/usr/bin/script', ['-qec', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'pipe'] }));
  }

  /** Types `lines` one after the other, then Ctrl+D. */
  async function talk(lines: readonly string[], extra: NodeJS.ProcessEnv = {}): Promise<Ending> {
    const child = open(extra);
    await child.saw(`127.0.0.1:${server.port}> `);
    for (const line of lines) {
      child.process.stdin?.write(line);
      await sleep(REACTION_MS);
    }
    child.process.stdin?.write(CTRL_D);
    return child.ended;
  }

  test('answers line by line, shows the database, and goes on after mistakes', async () => {
    const { code, output } = await talk([
      `SET greeting "hello world"${ENTER}`,
      `GET greeting${ENTER}`,
      `NOPE${ENTER}`,
      `GET "half${ENTER}`,
      `select 3${ENTER}`,
      `help${ENTER}`,
    ]);
    expect(code).toBe(0);
    expect(output).toContain('OK');
    expect(output).toContain('"hello world"');
    expect(output).toContain("ERR unknown command 'NOPE'");
    expect(output).toContain('Expected a closing quote');
    expect(output).toContain(`127.0.0.1:${server.port}[3]> `);
    expect(output).toContain('Tab completes');
  });

  test('colours what is typed, unless NO_COLOR is set', async () => {
    const coloured = await talk([`SET colour 12${ENTER}`]);
    expect(coloured.output).toContain('\x1b[1mSET\x1b[');
    expect(coloured.output).toContain('\x1b[36m12\x1b[');
    const plain = await talk([`SET colour 12${ENTER}`], { NO_COLOR: '1' });
    expect(plain.code).toBe(0);
    expect(plain.output).toContain('SET colour 12');
    expect(plain.output).not.toContain('\x1b[1m');
    expect(plain.output).not.toContain('\x1b[36m');
  });

  test('completes names of commands', async () => {
    const { output } = await talk(['INCRBYFL', TAB, `number 1.5${ENTER}`], { NO_COLOR: '1' });
    expect(output).toContain('INCRBYFLOAT number 1.5');
    expect(output).toContain('"1.5"');
  });

  test('remembers lines from one session to the next, but no passwords', async () => {
    await talk([`ECHO first${ENTER}`, `AUTH very-secret${ENTER}`, `ECHO last${ENTER}`]);
    const file = path.join(home, '.redis_lite_native_history');
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    const kept = fs.readFileSync(file, 'utf8');
    expect(kept).not.toContain('very-secret');
    expect(kept.endsWith('ECHO first\nECHO last\n')).toBe(true);
    const { output } = await talk([`${UP}${UP}${ENTER}`], { NO_COLOR: '1' });
    expect(output).toContain('"first"');
  });

  test('Ctrl+C drops what was typed, and ends the conversation when nothing was', async () => {
    const child = open({ NO_COLOR: '1' });
    await child.saw(`127.0.0.1:${server.port}> `);
    child.process.stdin?.write(`SET never typed${CTRL_C}`);
    await sleep(REACTION_MS);
    child.process.stdin?.write(CTRL_C);
    expect((await child.ended).code).toBe(0);
    expect(await server.ask('EXISTS', 'never')).toBe(':0\r\n');
  });
});
