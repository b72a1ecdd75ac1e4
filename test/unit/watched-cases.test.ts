/** Visibility is only eventually consistent: one look that misses a case does not close it. */
import { afterLook, nobodyYet } from '../../activities/watched-cases';

const named = (...names: string[]) => names.map((serial) => ({ serial, workflowId: `lost-device:acme:${serial}` }));
/** Whom a watch looks for after each of these looks. */
function looks(...shown: string[][]): string[][] {
  let watched = nobodyYet;
  return shown.map((names) => {
    watched = afterLook(watched, named(...names));
    return watched.devices.map(({ serial }) => serial ?? '');
  });
}

test('a case that one look does not show is watched on, by its names', () => {
  expect(looks(['SN1', 'SN2'], ['SN2'], ['SN1', 'SN2'])).toEqual([
    ['SN1', 'SN2'],
    ['SN2', 'SN1'],
    ['SN1', 'SN2'],
  ]);
});

test('one that two looks in a row do not show is gone', () => {
  expect(looks(['SN1', 'SN2'], ['SN2'], ['SN2'], ['SN2'])).toEqual([['SN1', 'SN2'], ['SN2', 'SN1'], ['SN2'], ['SN2']]);
});

test('one that came back is missed anew', () => {
  expect(looks(['SN1'], [], ['SN1'], [], [])).toEqual([['SN1'], ['SN1'], ['SN1'], ['SN1'], []]);
});
