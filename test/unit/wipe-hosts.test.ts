/** Which hosts does the steering configuration keep a wipe away from? */
import { missingHosts } from '../../playbook/wipe-hosts';

test.each([
  ['the same host, in any case', 'Manage.Microsoft.com', ['manage.microsoft.com.'], true],
  ['another host', 'manage.microsoft.com', ['manage.microsoft.org'], false],
  ['no exception at all', 'manage.microsoft.com', [], false],
  ['a wildcard above it', 'r.manage.microsoft.com', ['*.manage.microsoft.com'], true],
  ['a wildcard far above it', 'a.b.manage.microsoft.com', ['*.microsoft.com'], true],
  ['a wildcard of itself', 'manage.microsoft.com', ['*.manage.microsoft.com'], false],
  ['a name that only ends alike', 'evilmicrosoft.com', ['*.microsoft.com'], false],
  ['the same pattern', '*.manage.microsoft.com', ['*.manage.microsoft.com'], true],
  ['a wider pattern', '*.manage.microsoft.com', ['*.microsoft.com'], true],
  ['a narrower pattern', '*.microsoft.com', ['*.manage.microsoft.com'], false],
  ['one host of a pattern', '*.microsoft.com', ['manage.microsoft.com'], false],
])('%s', (_, host, letThrough, covered) => {
  expect(missingHosts([host], letThrough)).toEqual(covered ? [] : [host]);
});

test('those that are missing come as they were asked for, in their order', () => {
  expect(missingHosts(['Z.example', 'ok.example', '*.a.example'], ['ok.example'])).toEqual([
    'Z.example',
    '*.a.example',
  ]);
});
