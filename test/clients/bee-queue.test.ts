/** Real work through bee-queue: each test has a queue of its own. */
import { describeServers, Opened } from '../support/both-servers';
import { eventually } from '../support/server';

/** What is used here of bee-queue, whose own types are those of a client that is not there. */
interface Job<D> {
  readonly id: string;
  readonly data: D;
  readonly status: string;
  readonly options: { readonly retries?: number };
  retries(count: number): this;
  backoff(strategy: 'fixed' | 'exponential', ms: number): this;
  delayUntil(time: number): this;
  setId(id: string): this;
  timeout(ms: number): this;
  reportProgress(progress: unknown): void;
  save(): Promise<this>;
  remove(): Promise<this>;
  on(event: 'succeeded' | 'progress', listener: (value: unknown) => void): this;
  on(event: 'failed' | 'retrying', listener: (error: Error) => void): this;
}

interface BeeQueue<D> {
  ready(): Promise<this>;
  createJob(data: D): Job<D>;
  saveAll(jobs: readonly Job<D>[]): Promise<Map<Job<D>, Error>>;
  process(concurrency: number, handler: (job: Job<D>) => Promise<unknown>): void;
  getJob(id: string): Promise<Job<D> | null>;
  getJobs(
    type: string,
    page: { readonly start?: number; readonly end?: number; readonly size?: number },
  ): Promise<Job<D>[]>;
  checkHealth(): Promise<Record<'waiting' | 'active' | 'succeeded' | 'failed' | 'delayed', number>>;
  checkStalledJobs(): Promise<number>;
  on(event: 'stalled', listener: (id: string) => void): this;
  on(event: 'job succeeded', listener: (id: string, result: unknown) => void): this;
  close(timeoutMs?: number): Promise<void>;
  destroy(): Promise<void>;
}

const Bee: new <D>(name: string, settings: object) => BeeQueue<D> = require('bee-queue');

describeServers('bee-queue', (server) => {
  const opened = new Opened();
  let count = 0;
  let name: string;

  const open = async (settings: object = {}): Promise<BeeQueue<{ n: number }>> => {
    const redis = { host: '127.0.0.1', port: server.port };
    const queue = new Bee<{ n: number }>(name, { redis, activateDelayedJobs: true, delayedDebounce: 20, ...settings });
    opened.later(() => queue.close(1000));
    return queue.ready();
  };
  const settled = (job: Job<{ n: number }>): Promise<unknown> =>
    new Promise((done, fail) => void job.on('succeeded', done).on('failed', fail));

  beforeEach(() => {
    name = `bee-${count++}`;
  });

  afterEach(() => opened.close());

  test('jobs are processed, with progress and results', async () => {
    const queue = await open();
    queue.process(4, async (job) => {
      job.reportProgress({ at: job.data.n });
      return job.data.n * 2;
    });
    const progress: unknown[] = [];
    const jobs = Array.from({ length: 10 }, (_, n) => queue.createJob({ n }));
    const results = Promise.all(jobs.map((job) => settled(job.on('progress', (value) => progress.push(value)))));
    expect((await queue.saveAll(jobs)).size).toBe(0);
    expect(await results).toEqual(Array.from({ length: 10 }, (_, n) => n * 2));
    expect(progress).toHaveLength(10);
    expect(await queue.checkHealth()).toMatchObject({ waiting: 0, active: 0, succeeded: 10, failed: 0, delayed: 0 });
    expect((await queue.getJob(jobs[4]?.id ?? ''))?.data).toEqual({ n: 4 });
    expect(await queue.getJobs('succeeded', { size: 100 })).toHaveLength(10);
  });

  test('failed jobs are tried again after a backoff', async () => {
    const queue = await open();
    const retried: string[] = [];
    let tries = 0;
    queue.process(1, async (job) => {
      if (job.data.n === 0 || ++tries < 3) throw new Error(`try ${tries}`);
      return 'at last';
    });
    const stubborn = queue.createJob({ n: 1 }).retries(3).backoff('fixed', 30);
    stubborn.on('retrying', (error) => retried.push(error.message));
    const end = settled(stubborn);
    await stubborn.save();
    expect(await end).toBe('at last');
    expect(retried).toEqual(['try 1', 'try 2']);
    const hopeless = queue.createJob({ n: 0 });
    const failure = settled(hopeless);
    await Promise.all([hopeless.save(), expect(failure).rejects.toThrow('try 3')]);
    expect((await queue.getJobs('failed', { size: 10 })).map(({ id }) => id)).toEqual([hopeless.id]);
  });

  test('delayed jobs wait for their time', async () => {
    const queue = await open();
    const due = Date.now() + 150;
    const job = queue.createJob({ n: 1 }).delayUntil(due);
    const end = settled(job);
    await job.save();
    await queue
      .createJob({ n: 2 })
      .delayUntil(due + 3_600_000)
      .save();
    queue.process(1, async () => Date.now());
    expect(await end).toBeGreaterThanOrEqual(due);
    expect(await queue.checkHealth()).toMatchObject({ delayed: 1, succeeded: 1 });
  });

  test('an id is given once, and a job can be removed', async () => {
    const queue = await open();
    const [first, second] = [queue.createJob({ n: 1 }).setId('own'), queue.createJob({ n: 2 }).setId('own')];
    await first.save();
    await second.save();
    expect(second.id).toBeNull();
    expect((await queue.getJob('own'))?.data).toEqual({ n: 1 });
    await first.remove();
    expect(await queue.checkHealth()).toMatchObject({ waiting: 0 });
  });

  test('a job whose worker fell silent is taken over by another', async () => {
    const dead = await open({ stallInterval: 60, activateDelayedJobs: false });
    const job = dead.createJob({ n: 7 });
    await job.save();
    // What a worker does that dies at once: it takes the job and is heard of no more.
    await server.ask('RPOPLPUSH', `bq:${name}:waiting`, `bq:${name}:active`);
    await server.ask('SADD', `bq:${name}:stalling`, job.id);
    const heir = await open({ stallInterval: 60 });
    const end = settled(job);
    heir.process(1, async ({ data }) => data.n);
    await eventually(
      () => heir.checkStalledJobs().then(() => heir.checkHealth()),
      ({ succeeded }) => succeeded === 1,
    );
    expect(await end).toBe(7);
  });

  test('destroy leaves nothing', async () => {
    const queue = await open();
    await queue.createJob({ n: 1 }).save();
    await queue.destroy();
    expect(await server.ask('KEYS', `bq:${name}:*`)).toBe('*0\r\n');
  });
});
