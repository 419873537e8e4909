/** What the compiler must know; `tsc` checks it, and jest runs it to see that it is no fiction. */

import {
  type AnyServerError,
  assertNever,
  createServer,
  type EventOf,
  isServerError,
  type Reply,
  SERVER_EVENT_TYPES,
  type ServerErrorCode,
  type ServerEvent,
  type ServerEventType,
} from '../../lib';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Fails to compile unless its argument's type is `true`. */
function holds<Claim extends true>(claim: Claim): void {
  expect(claim).toBe(true);
}

/** A sentence for each event: every member must narrow, and none may be forgotten. */
function describeEvent(event: ServerEvent): string {
  switch (event.type) {
    case 'starting':
      return 'starting';
    case 'listening':
      return event.address.kind === 'tcp' ? `port ${event.address.port}` : event.address.path;
    case 'client-connected':
      return event.peer;
    case 'client-disconnected':
      return `${event.clientId} ${event.reason}`;
    case 'client-error':
      return event.message;
    case 'limit-reached':
      return `${event.directive} ${event.limit} ${event.refused}`;
    case 'keys-expired':
    case 'keys-evicted':
      return String(event.count);
    case 'slow-command':
      return `${event.command} ${event.microseconds}`;
    case 'config-changed':
      return `${event.directive} ${event.value}`;
    case 'warning':
      return `${event.code} ${event.message}`;
    case 'events-dropped':
      return String(event.count);
    case 'stopping':
      return event.signal ?? event.reason;
    case 'stopped':
      return event.reason;
    default:
      return assertNever(event);
  }
}

test('each event narrows by its type', () => {
  expect(describeEvent({ type: 'listening', at: 0, address: { kind: 'tcp', host: '::1', port: 7 } })).toBe('port 7');
  holds<Equal<EventOf<'slow-command'>['microseconds'], number>>(true);
  holds<Equal<EventOf<'stopping'>['signal'], 'SIGINT' | 'SIGTERM' | null>>(true);
});

test('the list of event types is complete', () => {
  const all: { readonly [Type in ServerEventType]: true } = {
    starting: true,
    listening: true,
    'client-connected': true,
    'client-disconnected': true,
    'client-error': true,
    'limit-reached': true,
    'keys-expired': true,
    'keys-evicted': true,
    'slow-command': true,
    'config-changed': true,
    warning: true,
    'events-dropped': true,
    stopping: true,
    stopped: true,
  };
  expect([...SERVER_EVENT_TYPES].sort()).toEqual(Object.keys(all).sort());
});

test('listeners get the event that they asked for', async () => {
  await using server = createServer({ port: 0, bind: '127.0.0.1' });
  const ports: number[] = [];
  server.on('listening', (event) => {
    holds<Equal<typeof event, EventOf<'listening'>>>(true);
    ports.push(event.address.kind === 'tcp' ? event.address.port : 0);
  });
  // @ts-expect-error there is no such event
  server.on('nonsense', () => undefined);
  await server.start();
  expect(ports).toEqual([server.port]);
});

test('options are literal and misspelt ones do not compile', () => {
  createServer({ ioModel: 'blocking', maxmemory: '100mb', bind: ['127.0.0.1'] });
  // @ts-expect-error no such model
  expect(() => createServer({ ioModel: 'threads' })).toThrow();
  // @ts-expect-error a misspelt option
  expect(() => createServer({ maxClients: 5 })).toThrow();
  // @ts-expect-error no such unit
  expect(() => createServer({ maxmemory: '1tb' })).toThrow();
});

test('errors narrow by their code', () => {
  const codeOf = (error: AnyServerError): number | string => (error.code === 'PORT_IN_USE' ? error.port : error.code);
  try {
    createServer({ argv: ['--port', 'x'] });
  } catch (error) {
    expect(isServerError(error) && codeOf(error)).toBe('INVALID_OPTION');
  }
  holds<Equal<Extract<ServerErrorCode, 'PORT_IN_USE'>, 'PORT_IN_USE'>>(true);
  expect(isServerError(new Error('other'))).toBe(false);
});

test('the store tells what commands give', () => {
  const server = createServer();
  holds<Equal<ReturnType<typeof server.store.get>, string | null>>(true);
  const reply: Reply = server.store.call('PING');
  expect(reply).toBe('PONG');
});
