/** The commands of ours that redis-server 7.0, the reference of these tests, does not know. */

/** Each with the reason that we have it, or that its description is another one. */
export const NEWER_COMMANDS: Readonly<Record<string, string>> = {
  'client|no-touch': 'goes with CLIENT NO-EVICT since 7.2',
  'client|setinfo': 'clients of today send it at the start',
  'cluster|myshardid': 'names the shard of a node, since 7.2',
  'cluster|slot-stats': 'how much slots are used, since Valkey 8.0',
  waitaof: 'goes with WAIT since 7.2',
  zrank: 'takes WITHSCORE since 7.2, so its arity is another',
  zrevrank: 'takes WITHSCORE since 7.2, so its arity is another',
  hexpire: 'fields that end by themselves, since 7.4',
  hpexpire: 'fields that end by themselves, since 7.4',
  hexpireat: 'fields that end by themselves, since 7.4',
  hpexpireat: 'fields that end by themselves, since 7.4',
  hexpiretime: 'fields that end by themselves, since 7.4',
  hpexpiretime: 'fields that end by themselves, since 7.4',
  httl: 'fields that end by themselves, since 7.4',
  hpttl: 'fields that end by themselves, since 7.4',
  hpersist: 'fields that end by themselves, since 7.4',
  hgetdel: 'reads and deletes fields in one step, since 8.0',
  hgetex: 'reads fields and sets when they end, since 8.0',
  hsetex: 'sets fields and when they end, since 8.0',
  'script|show': 'shows what SCRIPT LOAD took, since 8.0',
  xackdel: 'acknowledges and deletes in one step, since 8.2',
  xdelex: 'minds what is pending in groups, since 8.2',
};
