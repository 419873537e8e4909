/** Real work through Bull: each test has a queue of its own. */
import Queue from 'bull';
import { describeServers, Opened } from '../support/both-servers';
import { eventually } from '../support/server';

describeServers('Bull', (server) => {
  const opened = new Opened();
  let count = 0;
  let name: string;

  const open = (options: Queue.QueueOptions = {}): Queue.Queue => {
    const queue = opened.keep(new Queue(name, { redis: { host: '127.0.0.1', port: server.port }, ...options }));
    queue.setMaxListeners(100);
    queue.on('error', () => undefined); // a connection that is closed while it blocks says so
    return queue;
  };
  const counted = (queue: Queue.Queue, state: 'completed' | 'failed' | 'waiting', wanted: number) =>
    eventually(
      () => queue.getJobCounts(),
      (now) => now[state] >= wanted,
    );

  beforeEach(() => {
    name = `queue-${count++}`;
  });

  afterEach(() => opened.close());

  test('jobs are processed, with progress, logs and results', async () => {
    const queue = open();
    const progress: number[] = [];
    queue.on('global:progress', (_id, value) => progress.push(value));
    void queue.process('double', 5, async (job) => {
      await job.progress(42);
      await job.log(`n is ${job.data.n}`);
      return job.data.n * 2;
    });
    await queue.isReady();
    const jobs = await queue.addBulk(Array.from({ length: 20 }, (_, n) => ({ name: 'double', data: { n } })));
    expect(await Promise.all(jobs.map((job) => job.finished()))).toEqual(Array.from({ length: 20 }, (_, n) => n * 2));
    const job = await queue.getJob(jobs[3]?.id ?? '');
    expect(job).toMatchObject({ returnvalue: 6, data: { n: 3 } });
    expect(await queue.getJobLogs(jobs[3]?.id ?? '')).toEqual({ logs: ['n is 3'], count: 1 });
    expect(await job?.getState()).toBe('completed');
    expect(await queue.getJobCounts()).toEqual({
      waiting: 0,
      active: 0,
      completed: 20,
      failed: 0,
      delayed: 0,
      paused: 0,
    });
    await eventually(
      () => progress.length,
      (seen) => seen === 20,
    );
  });

  test('priorities decide the order; delayed jobs wait, or are promoted', async () => {
    const queue = open();
    await queue.pause();
    for (const [what, options] of [
      ['third', { priority: 3 }],
      ['second', { priority: 2 }],
      ['first', { priority: 1 }],
      ['later', { delay: 120 }],
      ['much later', { delay: 3_600_000 }],
    ] as const) {
      await queue.add({ what }, options);
    }
    const order: string[] = [];
    const done = queue.process(async (job) => order.push(job.data.what));
    done.catch(() => undefined);
    await queue.resume();
    await counted(queue, 'completed', 4);
    expect(order).toEqual(['first', 'second', 'third', 'later']);
    const [delayed] = await queue.getDelayed();
    await delayed?.promote();
    await counted(queue, 'completed', 5);
  });

  test('failed jobs are tried again after a backoff', async () => {
    const queue = open();
    void queue.process(async (job) => {
      if (job.data.hopeless || job.attemptsMade < 2) throw new Error(`attempt ${job.attemptsMade}`);
      return 'at last';
    });
    const stubborn = await queue.add({}, { attempts: 3, backoff: { type: 'fixed', delay: 20 } });
    expect(await stubborn.finished()).toBe('at last');
    const hopeless = await queue.add({ hopeless: true });
    await expect(hopeless.finished()).rejects.toThrow('attempt 0');
    const failed = await queue.getJob(hopeless.id);
    await failed?.retry();
    await eventually(
      async () => (await queue.getJob(hopeless.id))?.attemptsMade,
      (made) => made === 2,
    );
    expect((await queue.getFailed()).map(({ id }) => id)).toEqual([hopeless.id]);
  });

  test('a repeated job comes again until it is removed', async () => {
    const queue = open();
    let ticks = 0;
    void queue.process('tick', async () => ++ticks);
    await queue.add('tick', {}, { repeat: { every: 50 } });
    await queue.add('nightly', {}, { repeat: { cron: '0 3 * * *' } });
    await eventually(
      () => ticks,
      (now) => now >= 3,
    );
    const repeated = await queue.getRepeatableJobs();
    expect(repeated.map((job) => [job.name, job.every ?? job.cron]).sort()).toEqual([
      ['nightly', '0 3 * * *'],
      ['tick', 50],
    ]);
    // The run that is on its way sets the next one down once more.
    await eventually(
      async () => {
        for (const { key } of repeated) await queue.removeRepeatableByKey(key);
        return queue.getRepeatableJobs();
      },
      (left) => left.length === 0,
    );
  });

  test('a rate limit holds', async () => {
    const queue = open({ limiter: { max: 2, duration: 200 } });
    const starts: number[] = [];
    void queue.process(10, async () => starts.push(Date.now()));
    await queue.addBulk(Array.from({ length: 5 }, (_, i) => ({ data: { i } })));
    await counted(queue, 'completed', 5);
    expect((starts[4] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(200);
  });

  test('a job whose worker fell silent is taken over by another', async () => {
    const dead = open({ settings: { lockDuration: 100, lockRenewTime: 3_600_000, stalledInterval: 0 } });
    const { id } = await dead.add({});
    expect((await dead.getNextJob())?.id).toBe(id);
    const heir = open({ settings: { stalledInterval: 60 } });
    const stalled: Queue.JobId[] = [];
    heir.on('stalled', (job) => stalled.push(job.id));
    void heir.process(async () => 'rescued');
    await counted(heir, 'completed', 1);
    expect((await heir.getJob(id))?.returnvalue).toBe('rescued');
    expect(stalled).toEqual([id]);
  });

  test('clean, empty and obliterate remove what they say', async () => {
    const queue = open();
    void queue.process(async () => 'done');
    await queue.addBulk(Array.from({ length: 10 }, (_, i) => ({ data: { i } })));
    await counted(queue, 'completed', 10);
    expect(await queue.clean(0, 'completed', 4)).toHaveLength(4);
    await queue.pause();
    await queue.add({});
    await queue.add({}, { delay: 3_600_000 });
    expect(await queue.getJobCounts()).toMatchObject({ paused: 1, delayed: 1, completed: 6 });
    await queue.empty();
    expect(await queue.getJobCounts()).toMatchObject({ paused: 0, delayed: 0, completed: 6 });
    await queue.obliterate({ force: true });
    expect(await queue.getJobCounts()).toMatchObject({ completed: 0 });
  });
});
