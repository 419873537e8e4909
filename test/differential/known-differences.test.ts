/** The table of known differences lets nothing through but what it names. */
import type { RespValue } from '../support/resp';
import { isDrawnFrom, isKnown, sourceOf } from './known-differences';

function list(...elements: readonly string[]): RespValue {
  return { kind: '*', value: elements.map((value) => ({ kind: '$', value })) };
}

describe('what SORT does not sort', () => {
  const all = ['SORT', 'sort:set', 'BY', 'nosort'];
  const some = ['sort', 'sort:set', 'limit', '1', '2', 'by', 'nosort'];
  const pairs = [...all, 'GET', '#', 'GET', 'weight:*'];

  test('comes in any order, but whole', () => {
    expect(isKnown(all, list('a', 'b'), list('b', 'a'))).toBe(true);
    expect(isKnown(all, list('a', 'a'), list('a', 'b'))).toBe(false);
    expect(isKnown(all, list('a'), list('a', 'b'))).toBe(false);
  });

  test('keeps together what the GETs gave for one element', () => {
    expect(isKnown(pairs, list('a', '1', 'b', '2'), list('b', '2', 'a', '1'))).toBe(true);
    expect(isKnown(pairs, list('a', '1', 'b', '2'), list('b', '1', 'a', '2'))).toBe(false);
  });

  test('is, with LIMIT, as much, and from the source', () => {
    expect(isKnown(some, list('a', 'b'), list('c', 'd'))).toBe(true);
    expect(isKnown(some, list('a'), list('c', 'd'))).toBe(false);
    expect(sourceOf(some)).toEqual(['sort', 'sort:set', 'by', 'nosort']);
    expect(sourceOf(all)).toBeUndefined();
    const source = list('a', 'b', 'c');
    expect(isDrawnFrom(some, list('c', 'a'), source)).toBe(true);
    expect(isDrawnFrom(some, list('a', 'a'), source)).toBe(false);
    expect(isDrawnFrom(some, list('x', 'a'), source)).toBe(false);
    expect(isDrawnFrom(pairs, list('a', '2'), list('a', '1', 'b', '2'))).toBe(false);
  });

  test('is sorted where BY has an asterisk, and is no matter of sorted sets', () => {
    expect(isKnown(['SORT', 'sort:set', 'BY', 'w:*'], list('a', 'b'), list('b', 'a'))).toBe(false);
    expect(isKnown(['SORT', 'z', 'BY', 'nosort'], list('a', 'b'), list('b', 'a'))).toBe(false);
  });
});
