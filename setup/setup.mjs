/**
 * Makes a fresh clone ready: Node, the packages, the Temporal server's program. Plain JavaScript without packages,
 * because it runs before there are any. Everything it says goes to stderr, so that `--json` on stdout stays clean.
 * `--quiet` says only what it has to do.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const quiet = process.argv.includes('--quiet');
const oldestNode = [20, 19];

/** @param {string} line */
const tell = (line) => process.stderr.write(`setup: ${line}\n`);
/** @param {string} line */
const remark = (line) => quiet || tell(line);

try {
  checkNode();
  if (!(await packagesMatchLockfile())) {
    await oneAtATime(async () => {
      if (!(await packagesMatchLockfile())) await installPackages();
    });
  }
  remark('packages: as in package-lock.json');
  if (process.env.TEMPORAL_ADDRESS) remark('Temporal server: the one that TEMPORAL_ADDRESS names');
  else {
    const { require: requireTypeScript } = await import('tsx/cjs/api');
    const { ensureTemporal } = requireTypeScript('../temporal/binary.ts', import.meta.url);
    const { path: program, source, passedOver } = await ensureTemporal(tell);
    remark(`Temporal server: ${program} (${source})`);
    for (const line of passedOver) if (!line.endsWith('not found')) remark(`  passed over: ${line}`);
  }
} catch (error) {
  tell(error.message);
  process.exitCode = 1;
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new Error(`Node ${oldestNode.join('.')} or newer is needed; this is Node ${process.versions.node}.`);
}

/** npm writes what it installed into node_modules/.package-lock.json, at the very end: that is compared. */
async function packagesMatchLockfile() {
  const wanted = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8')).packages;
  let installed;
  try {
    installed = JSON.parse(await readFile(path.join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages;
  } catch {
    return false; // Never installed, or not to the end.
  }
  return Object.entries(wanted).every(([folder, entry]) => {
    if (folder === '') return true;
    const present = installed[folder];
    if (present === undefined) return entry.optional === true || entry.devOptional === true;
    return present.version === entry.version && present.integrity === entry.integrity;
  });
}

/** Two first commands at once would remove each other's packages: the second one waits for the first. */
async function oneAtATime(work) {
  const name = createHash('sha256').update(root).digest('hex').slice(0, 16);
  const lock = path.join(tmpdir(), `lost-device-setup-${name}.lock`);
  for (let waiting = false; ; waiting = true) {
    try {
      await writeFile(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
      if (holder > 0 && !isRunning(holder)) await rm(lock, { force: true });
      else if (!waiting) tell(`packages: waiting for another set-up (process ${holder}, ${lock})`);
      await setTimeout(500);
    }
  }
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function installPackages() {
  // The npm that runs us; by name where somebody runs this file directly.
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm ? [process.execPath, npm] : [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
  // Not `npm ci`: that fails where a registry lacks the optional packages of other systems. The lockfile decides here
  // too, with versions and hashes, and is left as it is.
  const args = ['install', '--no-save', '--include=dev', '--loglevel=error', '--no-progress'];
  tell('packages: npm install, as package-lock.json says');
  const start = Date.now();
  const ticker = setInterval(
    () => tell(`packages: still installing, ${Math.round((Date.now() - start) / 1000)} s`),
    5_000,
  );
  try {
    await new Promise((resolve, reject) => {
      const child = spawn(command, [...first, ...args], {
        cwd: root,
        stdio: ['ignore', 2, 2],
        shell: !npm && process.platform === 'win32',
      });
      child.once('error', (error) => reject(new Error(`npm could not be started: ${error.message}`)));
      child.once('exit', (code, signal) =>
        code === 0
          ? resolve()
          : reject(new Error(`npm install failed (${signal ?? `exit ${code}`}); its reason is above.`)),
      );
    });
  } finally {
    clearInterval(ticker);
  }
}
