/**
 * Runs the tools of this project's own packages.
 * @module
 */
import { spawn } from 'node:child_process';
import path from 'node:path';

const root = path.dirname(__dirname);

/** Runs one tool of `node_modules/.bin` in the root; never rejects. `output` is what it printed, both streams together. */
export function runTool(tool: string, args: string[]): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(path.join(root, 'node_modules', '.bin', tool), args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    const keep = (chunk: Buffer) => void (output += chunk.toString());
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => resolve({ ok: false, output: error.message }));
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}
