/**
 * Writes `docs/cli.md` from the program's own help; `--check` compares.
 * @module
 */
import { cliHelp } from '../cli/program';
import { keepInStep } from './in-step';

void keepInStep(new Map([['docs/cli.md', cliHelp()]]), { script: 'setup/cli-docs.ts' });
