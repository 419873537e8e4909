/** Real work through BullMQ: each test has a queue of its own. */
import {
  type ConnectionOptions,
  FlowProducer,
  type Job,
  Queue,
  QueueEvents,
  type QueueEventsListener,
  UnrecoverableError,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import { createClient } from 'redis';
import { describeServers, Gate, Opened } from '../support/both-servers';
import { eventually } from '../support/server';

describeServers('BullMQ', (server) => {
  const opened = new Opened();
  let connection: ConnectionOptions;
  let name: string;
  let count = 0;
  let queue: Queue;

  const work = (
    handler: (job: Job, token?: string) => Promise<unknown>,
    options: Partial<WorkerOptions> = {},
  ): Worker => opened.keep(new Worker(name, handler, { connection, ...options }));
  const listen = async (): Promise<QueueEvents> => {
    // From the beginning: what happens while it connects is not lost.
    const events = opened.keep(new QueueEvents(name, { connection, lastEventId: '0-0' }));
    await events.waitUntilReady();
    return events;
  };
  const counted = (state: 'completed' | 'failed', wanted: number): Promise<number> =>
    eventually(
      () => queue.getJobCountByTypes(state),
      (now) => now >= wanted,
    );

  beforeEach(() => {
    connection = { host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null };
    name = `queue-${count++}`;
    queue = opened.keep(new Queue(name, { connection }));
    queue.setMaxListeners(100);
  });

  afterEach(() => opened.close());

  test('jobs are processed, with progress, logs and results', async () => {
    const events = await listen();
    work(
      async (job) => {
        await job.updateProgress(50);
        await job.log(`doubling ${job.data.n}`);
        return { doubled: job.data.n * 2 };
      },
      { concurrency: 5 },
    );
    const added = await queue.addBulk(
      Array.from({ length: 40 }, (_, n) => ({ name: 'double', data: { n, text: 'ø'.repeat(n) } })),
    );
    const results = await Promise.all(added.map((job) => job.waitUntilFinished(events)));
    expect(results).toEqual(Array.from({ length: 40 }, (_, n) => ({ doubled: n * 2 })));
    const job = (await queue.getJob(added[7]?.id ?? '')) as Job;
    expect(job).toMatchObject({ progress: 50, returnvalue: { doubled: 14 }, attemptsMade: 1, data: { n: 7 } });
    expect(await queue.getJobLogs(job.id ?? '')).toEqual({ logs: ['doubling 7'], count: 1 });
    expect(await job.getState()).toBe('completed');
    expect(await queue.getJobCounts()).toMatchObject({ completed: 40, waiting: 0, active: 0, failed: 0 });
    expect((await queue.getJobs(['completed'], 0, 4, true)).map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5']);
  });

  test('priorities and last-in-first-out decide the order', async () => {
    for (const [job, options] of [
      ['third', { priority: 10 }],
      ['fourth', { priority: 2_000_000 }],
      ['second', { priority: 1 }],
      ['plain', {}],
      ['first', { lifo: true }],
    ] as const) {
      await queue.add(job, {}, options);
    }
    expect(await queue.getCountsPerPriority([0, 1, 10])).toEqual({ 0: 2, 1: 1, 10: 1 });
    const late = (await queue.getJobs('prioritized')).find((job) => job.name === 'fourth');
    await late?.changePriority({ priority: 5 });
    const order: string[] = [];
    work(async (job) => order.push(job.name));
    await counted('completed', 5);
    expect(order).toEqual(['first', 'plain', 'second', 'fourth', 'third']);
  });

  test('delayed jobs wait for their time, or are promoted', async () => {
    work(async () => 'done');
    const soon = await queue.add('soon', {}, { delay: 150 });
    const never = await queue.add('never', {}, { delay: 3_600_000 });
    expect(await never.getState()).toBe('delayed');
    await counted('completed', 1);
    const done = (await queue.getJob(soon.id ?? '')) as Job;
    expect((done.processedOn ?? 0) - done.timestamp).toBeGreaterThanOrEqual(150);
    expect(await queue.getDelayedCount()).toBe(1);
    await never.promote();
    await counted('completed', 2);
    expect(await queue.getDelayedCount()).toBe(0);
  });

  test('a job scheduler repeats its job until it is removed', async () => {
    const seen: number[] = [];
    work(async (job) => seen.push(job.data.n));
    await queue.upsertJobScheduler('often', { every: 40 }, { name: 'tick', data: { n: 1 } });
    await queue.upsertJobScheduler('daily', { pattern: '0 15 3 * * *', tz: 'Europe/Berlin' }, { name: 'nightly' });
    await counted('completed', 3);
    expect(await queue.getJobSchedulersCount()).toBe(2);
    expect(await queue.getJobScheduler('often')).toMatchObject({ key: 'often', name: 'tick', every: 40 });
    expect((await queue.getJobScheduler('daily'))?.pattern).toBe('0 15 3 * * *');
    await queue.upsertJobScheduler('often', { every: 20 }, { name: 'tick', data: { n: 2 } });
    await eventually(
      () => seen,
      (all) => all.includes(2),
    );
    expect(await queue.removeJobScheduler('often')).toBe(true);
    expect(await queue.removeJobScheduler('often')).toBe(false);
    expect((await queue.getJobSchedulers()).map(({ key }) => key)).toEqual(['daily']);
    expect(seen[0]).toBe(1);
  });

  test('failed jobs are tried again after a backoff, but not those without hope', async () => {
    const events = await listen();
    const times: number[] = [];
    work(async (job) => {
      if (job.name === 'hopeless') throw new UnrecoverableError('no use');
      times.push(Date.now());
      if (job.attemptsMade < 2) throw new Error(`attempt ${job.attemptsMade}`);
      return 'at last';
    });
    const stubborn = await queue.add('stubborn', {}, { attempts: 3, backoff: { type: 'exponential', delay: 60 } });
    expect(await stubborn.waitUntilFinished(events)).toBe('at last');
    expect(times).toHaveLength(3);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(55);
    expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(115);
    const hopeless = await queue.add('hopeless', {}, { attempts: 5 });
    await expect(hopeless.waitUntilFinished(events)).rejects.toThrow('no use');
    const failed = (await queue.getJob(hopeless.id ?? '')) as Job;
    expect(failed).toMatchObject({ failedReason: 'no use', attemptsMade: 1 });
    expect(failed.stacktrace).toHaveLength(1);
    await queue.retryJobs({ state: 'failed' });
    await counted('failed', 1);
    expect(await queue.getJobCounts('completed', 'failed')).toEqual({ completed: 1, failed: 1 });
  });

  test('the parent of a flow runs after its children', async () => {
    const flows = opened.keep(new FlowProducer({ connection }));
    const order: string[] = [];
    work(async (job) => {
      order.push(job.name);
      return job.name === 'sum' ? Object.values(await job.getChildrenValues()).reduce((a, b) => a + b, 0) : job.data.n;
    });
    const child = (n: number) => ({ name: `child ${n}`, queueName: name, data: { n } });
    const { job } = await flows.add({
      ...{ name: 'top', queueName: name, data: { n: 0 } },
      children: [{ name: 'sum', queueName: name, data: {}, children: [child(1), child(2), child(4)] }],
    });
    expect(await job.getState()).toBe('waiting-children');
    await counted('completed', 5);
    expect(order.slice(3)).toEqual(['sum', 'top']);
    expect(Object.values(await job.getChildrenValues())).toEqual([7]);
    const tree = await flows.getFlow({ id: job.id ?? '', queueName: name });
    expect(tree.children?.[0]?.children).toHaveLength(3);
  });

  test('a child that fails takes its parent along when asked to', async () => {
    const flows = opened.keep(new FlowProducer({ connection }));
    work(async (job) => {
      if (job.name === 'bad') throw new Error('broken');
    });
    const { job } = await flows.add({
      ...{ name: 'parent', queueName: name },
      children: [{ name: 'bad', queueName: name, opts: { failParentOnFailure: true } }],
    });
    await counted('failed', 2);
    expect((await queue.getJob(job.id ?? ''))?.failedReason).toContain('failed');
  });

  test('a rate limit holds', async () => {
    const starts: number[] = [];
    work(async () => starts.push(Date.now()), { limiter: { max: 2, duration: 250 }, concurrency: 10 });
    await queue.addBulk(Array.from({ length: 6 }, (_, i) => ({ name: 'limited', data: { i } })));
    await counted('completed', 6);
    expect((starts[2] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(125);
    expect((starts[5] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(375);
  });

  test('a job whose worker fell silent is taken over by another', async () => {
    const dead = opened.keep(
      new Worker(name, undefined, { connection, lockDuration: 100, skipLockRenewal: true, autorun: false }),
    );
    const { id } = await queue.add('left behind', {});
    expect((await dead.getNextJob('token of the dead'))?.id).toBe(id);
    const stalled: string[] = [];
    const heir = work(async (job) => job.stalledCounter, { stalledInterval: 60, maxStalledCount: 2 });
    heir.on('stalled', (job) => stalled.push(job));
    await counted('completed', 1);
    expect((await queue.getJob(id ?? ''))?.returnvalue).toBe(1);
    expect(stalled).toEqual([id]);
  });

  test('events tell of every step', async () => {
    const events = await listen();
    const seen: string[] = [];
    const steps = ['added', 'waiting', 'active', 'progress', 'completed', 'failed', 'removed'] as const;
    for (const step of steps) {
      const note: QueueEventsListener[typeof step] = ({ jobId }: { jobId: string }) =>
        void seen.push(`${step} ${jobId}`);
      events.on(step, note);
    }
    work(async (job) => {
      await job.updateProgress({ half: true });
      if (job.name === 'bad') throw new Error('no');
    });
    const good = await queue.add('good', {});
    await counted('completed', 1);
    await queue.add('bad', {});
    await counted('failed', 1);
    await good.remove();
    await eventually(
      () => seen,
      (all) => all.includes('removed 1'),
    );
    const of = (id: number) => seen.filter((each) => each.endsWith(` ${id}`)).map((each) => each.split(' ')[0]);
    expect(of(1)).toEqual(['added', 'waiting', 'active', 'progress', 'completed', 'removed']);
    expect(of(2)).toEqual(['added', 'waiting', 'active', 'progress', 'failed']);
  });

  test('a paused queue keeps its jobs, a paused worker takes none', async () => {
    const seen: string[] = [];
    const worker = work(async (job) => seen.push(job.name));
    await worker.waitUntilReady();
    await queue.pause();
    expect(await queue.isPaused()).toBe(true);
    await queue.add('while paused', {});
    expect(await queue.getJobCounts('waiting', 'active', 'completed')).toEqual({ waiting: 1, active: 0, completed: 0 });
    await queue.resume();
    await counted('completed', 1);
    await worker.pause();
    await queue.add('while the worker pauses', {});
    expect(await queue.getJobCounts('waiting', 'completed')).toEqual({ waiting: 1, completed: 1 });
    void worker.resume();
    await counted('completed', 2);
    expect(seen).toEqual(['while paused', 'while the worker pauses']);
  });

  test('clean, drain and obliterate remove what they say', async () => {
    work(async (job) => {
      if (job.data.bad) throw new Error('bad');
    });
    await queue.addBulk(Array.from({ length: 20 }, (_, i) => ({ name: 'job', data: { bad: i % 4 === 0 } })));
    await counted('completed', 15);
    await counted('failed', 5);
    expect(await queue.clean(0, 10, 'completed')).toHaveLength(10);
    expect(await queue.clean(3_600_000, 0, 'failed')).toHaveLength(0);
    expect(await queue.clean(0, 0, 'failed')).toHaveLength(5);
    expect(await queue.getJobCounts('completed', 'failed')).toEqual({ completed: 5, failed: 0 });
    await queue.pause();
    await queue.add('waits', {});
    await queue.add('delayed', {}, { delay: 3_600_000 });
    await queue.drain();
    expect(await queue.getJobCounts('waiting', 'delayed')).toEqual({ waiting: 0, delayed: 1 });
    await queue.drain(true);
    expect(await queue.getDelayedCount()).toBe(0);
    await queue.obliterate({ force: true });
    expect(await queue.getJobCountByTypes('completed')).toBe(0);
    expect(await server.ask('KEYS', `bull:${name}:*`)).not.toMatch(/:\d+\r\n/);
  });

  test('a duplicate is not added twice, and finished jobs go when told to', async () => {
    const events = await listen();
    const twins: string[] = [];
    events.on('deduplicated', ({ deduplicationId }) => twins.push(deduplicationId));
    const first = await queue.add('once', {}, { deduplication: { id: 'same', ttl: 60_000 } });
    const second = await queue.add('once', {}, { deduplication: { id: 'same', ttl: 60_000 } });
    expect(second.id).toBe(first.id);
    expect((await queue.add('named', {}, { jobId: 'own-id' })).id).toBe('own-id');
    await queue.add('named', {}, { jobId: 'own-id' });
    expect(await queue.getWaitingCount()).toBe(2);
    work(async () => 'done', { removeOnComplete: { count: 1 } });
    await eventually(
      () => queue.getJobCounts('waiting', 'active', 'completed'),
      (now) => now.waiting === 0 && now.active === 0 && now.completed === 1,
    );
    expect(await queue.getJob(first.id ?? '')).toBeUndefined();
    await eventually(
      () => twins,
      (all) => all.includes('same'),
    );
  });

  test('a worker that closes lets its job end, and the global concurrency holds', async () => {
    await queue.setGlobalConcurrency(1);
    const [begun, end] = [new Gate(), new Gate()];
    let [running, most] = [0, 0];
    const worker = work(
      async () => {
        most = Math.max(most, ++running);
        begun.open();
        await end.opened;
        running--;
      },
      { concurrency: 10 },
    );
    await queue.addBulk(Array.from({ length: 3 }, () => ({ name: 'job', data: {} })));
    await begun.opened;
    expect(await queue.getActiveCount()).toBe(1);
    const closing = new Gate();
    worker.on('closing', () => closing.open());
    const closed = worker.close();
    await closing.opened; // Before that, the end of one job takes the next.
    end.open();
    await closed;
    // A worker that was waiting for a job at that moment takes one more, and ends it as well.
    const { completed, waiting, active } = await queue.getJobCounts('completed', 'waiting', 'active');
    expect({ active, most, jobs: (completed ?? 0) + (waiting ?? 0) }).toEqual({ active: 0, most: 1, jobs: 3 });
    expect([1, 2]).toContain(completed);
  });

  test('it works through node-redis as well', async () => {
    const open = () => createClient({ socket: { host: '127.0.0.1', port: server.port } });
    const [forQueue, forWorker] = await Promise.all([open().connect(), open().connect()]);
    const mine = new Queue(`${name}-node-redis`, { connection: forQueue });
    const worker = new Worker(mine.name, async (job) => job.data.n + 1, { connection: forWorker });
    await mine.addBulk(Array.from({ length: 10 }, (_, n) => ({ name: 'job', data: { n } })));
    await eventually(
      () => mine.getCompletedCount(),
      (done) => done === 10,
    );
    const values = (await mine.getCompleted()).map((job) => job.returnvalue);
    expect(values.sort((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, n) => n + 1));
    await worker.close();
    await mine.close();
    for (const client of [forQueue, forWorker]) if (client.isOpen) client.destroy();
  });
});
