/**
 * The Temporal program is taken from the first source that has one new enough.
 * @module
 */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const folder = mkdtempSync(path.join(tmpdir(), 'temporal-binary-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a program on PATH with a new enough server is used, and nothing is fetched', async () => {
  program('bin', '1.32.0');
  const { found, told } = await ensure();
  expect(found).toEqual({ path: 'temporal', source: 'temporal on PATH', passedOver: [] });
  expect(told).toBe('');
});

test('an old one on PATH is passed over, with the reason, for the cached one', async () => {
  program('bin', '1.29.1');
  const cached = program('cache/lost-device-playbook/temporal-1.9.1', '2.0.0');
  const { found } = await ensure();
  expect(found).toEqual({
    path: cached,
    source: 'cached program',
    passedOver: ['temporal on PATH: is Server 1.29, older than 1.32'],
  });
});

/** In a process of its own, which finds programs in our folders first. */
async function ensure(): Promise<{ found: unknown; told: string }> {
  const script = `
    const { ensureTemporal } = require('tsx/cjs/api').require('./temporal/binary.ts', ${JSON.stringify(path.resolve('x.js'))});
    ensureTemporal((line) => console.error(line)).then((found) => console.log(JSON.stringify(found)));`;
  const env = { PATH: `${path.join(folder, 'bin')}:/usr/bin:/bin`, XDG_CACHE_HOME: path.join(folder, 'cache') };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['-e', script], { env });
  return { found: JSON.parse(stdout) as unknown, told: stderr };
}

function program(where: string, server: string): string {
  const file = path.join(folder, where, 'temporal');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho "temporal version 1.9.1 (Server ${server}, UI 2.54.1)"\n`);
  chmodSync(file, 0o755);
  return file;
}
