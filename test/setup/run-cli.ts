/**
 * The command line in this process, as a person would run it.
 * @module
 */
import { runCli } from '../../cli/program';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs a command and catches what it says. */
export async function runQuietly(...given: string[]): Promise<Ran> {
  const said = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((text) => ((said[name] += String(text)), true)),
  );
  process.exitCode = 0;
  try {
    const code = await runCli(given);
    return { code, out: said.stdout, err: said.stderr };
  } finally {
    process.exitCode = 0;
    for (const spy of spies) spy.mockRestore();
  }
}
