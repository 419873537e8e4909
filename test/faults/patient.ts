/** A server that is maltreated, and the checks that it was not hurt: it answers, and it holds on to nothing. */
import { connectMany, eventually, ServerProcess } from '../support/server';
import { encode } from '../support/wire-client';

const MEGABYTE = 1024 * 1024;
/** What the JavaScript half of the process may come and go by, whatever clients do. */
const SLACK = 64 * MEGABYTE;

/** The server of a suite, and what it was like before each test. */
export class Patient {
  #server: ServerProcess | null = null;
  #descriptors = 0;
  #memory = 0;
  #slack = SLACK;

  /** Starts it before all tests, looks after each, and stops it at the end: with 0, or something broke. */
  static of(...directives: string[]): Patient {
    const patient = new Patient();
    beforeAll(async () => {
      patient.#server = await ServerProcess.start(directives);
      await patient.#warmUp();
    });
    beforeEach(async () => {
      await patient.server.ask('FLUSHALL');
      patient.#descriptors = patient.server.descriptors();
      patient.#memory = patient.server.residentBytes();
      patient.#slack = SLACK;
    });
    afterEach(() => patient.#examine());
    afterAll(async () => {
      expect(await patient.server.stop()).toEqual({ code: 0, signal: null });
    });
    return patient;
  }

  get server(): ServerProcess {
    if (this.#server === null) throw new Error('the server was not started');
    return this.#server;
  }

  get port(): number {
    return this.server.port;
  }

  /** How much more memory it has than before the test. */
  grown(): number {
    return this.server.residentBytes() - this.#memory;
  }

  /** Fails when it has more than `megabytes` more memory than before the test. */
  expectBounded(megabytes: number): void {
    expect(this.grown() / MEGABYTE).toBeLessThan(megabytes);
  }

  /** Lets this test leave up to `megabytes` with the allocator, which keeps them for the next such command. */
  allowKept(megabytes: number): void {
    this.#slack = megabytes * MEGABYTE;
  }

  /** Another client is answered, and at once. */
  async expectUnharmed(): Promise<void> {
    const client = await this.server.connect();
    const started = Date.now();
    for (let i = 0; i < 20; i++) {
      expect(await client.call('SET', 'unharmed', String(i))).toBe('+OK\r\n');
      expect(await client.call('GET', 'unharmed')).toBe(`$${String(i).length}\r\n${i}\r\n`);
    }
    expect(Date.now() - started).toBeLessThan(2000);
    await client.end();
  }

  /** Pools and caches have their usual size before anything is measured. */
  async #warmUp(): Promise<void> {
    const clients = await connectMany(this.port, 200);
    const value = Buffer.alloc(MEGABYTE, 'x');
    for (const client of clients.slice(0, 20)) client.send(encode('SET', 'warm', value));
    await Promise.all(clients.slice(0, 20).map((client) => client.reply()));
    await Promise.all(clients.map((client) => client.call('GET', 'warm')));
    await Promise.all(clients.map((client) => client.end()));
  }

  async #examine(): Promise<void> {
    expect(await this.server.ask('PING')).toBe('+PONG\r\n');
    await this.server.ask('FLUSHALL');
    await eventually(
      () => this.server.descriptors(),
      (count) => count <= this.#descriptors,
    );
    await eventually(
      () => this.grown(),
      (bytes) => bytes < this.#slack,
    );
    expect(this.server.child.exitCode).toBeNull();
  }
}
