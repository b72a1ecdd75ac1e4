/**
 * Writes `docs/errors.md` from the error catalogue; `--check` compares.
 * @module
 */
import { errorCatalogue } from '../plugins/errors';
import { keepInStep } from './in-step';

const classes = {
  VendorUnavailable:
    'The vendor is away, slow or confused. The step is retried for as long as it takes, and says since when.',
  VendorRefused:
    'The vendor said no. The step is stuck: people are told, and it waits for a retry, a skip or an answer.',
  OutcomeUnknown: 'A change was sent and its answer was lost. It is read back before anything is sent again.',
  BadInput: 'What was given to us is wrong. It is refused at the boundary, and no case is touched.',
} as const;

const sections = Object.entries(classes).map(([name, promise]) => {
  const rows = Object.entries(errorCatalogue)
    .filter(([, entry]) => entry.class === name)
    .map(([code, { meaning, remedy }]) => `| \`${code}\` | ${meaning} | ${remedy} |`);
  return [`## ${name}`, '', promise, '', '| code | what it means | what to do |', '| --- | --- | --- |', ...rows].join(
    '\n',
  );
});

const page = [
  '# Errors',
  'Made from `plugins/errors.ts` by `npx tsx setup/docs.ts`; `npm run verify` compares. The codes are stable: search for them, and quote them to support.',
  ...sections,
].join('\n\n');

void keepInStep(new Map([['docs/errors.md', page]]), { script: 'setup/docs.ts' });
