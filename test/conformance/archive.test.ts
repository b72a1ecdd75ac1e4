/** What every archive must do: keep once, keep whole, find again. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folder } from '../../plugins/folder';
import type { Archive, Call } from '../../plugins/roles';

const call: Call = { signal: new AbortController().signal, now: '2026-11-22T22:00:00Z' };
const bytes = (text: string) => new TextEncoder().encode(text);

describe('folder', () => {
  let parent: string;
  let path: string;
  let archive: Archive;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'archive-'));
    path = join(parent, 'made', 'later');
    const made = folder.create('evidence', folder.settings.parse({ path })).archive;
    if (!made) throw new Error('the folder plugin fills the archive role');
    archive = made;
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  test('the first writer wins, and what was written is read back', async () => {
    expect(await archive.putOnce('case-1/journal/000001.json', bytes('first'), call)).toBe('created');
    expect(await archive.putOnce('case-1/journal/000001.json', bytes('second'), call)).toBe('already there');
    expect(await archive.get('case-1/journal/000001.json', call)).toEqual(Buffer.from('first'));
  });

  test('fifty writers at once: one creates, and the file is whole', async () => {
    const texts = Array.from({ length: 50 }, (_, i) => `writer ${i} `.repeat(5_000));
    const outcomes = await Promise.all(texts.map((text) => archive.putOnce('case-1/a.txt', bytes(text), call)));
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    const winner = texts[outcomes.indexOf('created')];
    expect(Buffer.from((await archive.get('case-1/a.txt', call)) ?? []).toString()).toBe(winner);
  });

  test('keys are listed by prefix, sorted, and a prefix may end inside a name', async () => {
    for (const key of ['_2d_/-1.json', 'case-2/b', 'case-1/000010', 'case-1/000002', 'case-10/a']) {
      await archive.putOnce(key, bytes(key), call);
    }
    expect(await archive.list('', call)).toEqual([
      '_2d_/-1.json',
      'case-1/000002',
      'case-1/000010',
      'case-10/a',
      'case-2/b',
    ]);
    expect(await archive.list('case-1', call)).toEqual(['case-1/000002', 'case-1/000010', 'case-10/a']);
    expect(await archive.list('case-1/', call)).toEqual(['case-1/000002', 'case-1/000010']);
    expect(await archive.list('case-1/00001', call)).toEqual(['case-1/000010']);
    expect(await archive.list('case-3/', call)).toEqual([]);
  });

  test('what is not there is undefined, also below a file', async () => {
    expect(await archive.get('case-1/none', call)).toBeUndefined();
    await archive.putOnce('case-1', bytes('x'), call);
    expect(await archive.get('case-1/none', call)).toBeUndefined();
  });

  test.each([
    '',
    '/etc/passwd',
    '../x',
    'a/../x',
    'a//b',
    'a/.hidden',
    '.incoming/x',
    'a\\b',
    'a\u0000b',
    'a/b/',
    'a'.repeat(300),
  ])('the key %j is refused', async (key) => {
    await expect(archive.putOnce(key, bytes('x'), call)).rejects.toMatchObject({ code: 'LDP_BAD_INPUT' });
    await expect(archive.get(key, call)).rejects.toMatchObject({ code: 'LDP_BAD_INPUT' });
  });

  test('nobody else may read it, and no draft stays behind', async () => {
    await archive.putOnce('case-1/a', bytes('x'), call);
    await archive.putOnce('case-1/a', bytes('y'), call);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, 'case-1'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, 'case-1', 'a'))).mode & 0o777).toBe(0o600);
    expect(await readdir(join(path, '.incoming'))).toEqual([]);
  });

  test('a file where the folder should be is told as unavailable, and by the test', async () => {
    const file = join(parent, 'a-file');
    await folder.create('x', { path: parent }).archive?.putOnce('a-file', bytes('x'), call);
    const broken = folder.create('x', { path: file });
    await expect(broken.archive?.putOnce('case-1/a', bytes('x'), call)).rejects.toMatchObject({
      name: 'VendorUnavailable',
    });
    expect(await broken.test(call)).toEqual([expect.objectContaining({ ok: false })]);
  });

  test('a cancelled call writes nothing', async () => {
    const reason = new Error('cancelled');
    await expect(archive.putOnce('a', bytes('x'), { ...call, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await archive.list('', call)).toEqual([]);
  });

  test('a relative path is refused', () => {
    expect(() => folder.settings.parse({ path: 'data' })).toThrow(/absolute/);
  });
});
