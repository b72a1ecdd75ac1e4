/**
 * Writes `docs/settings.md` from the form of the settings file, and `docs/plugins.md` from the manifests; `--check` compares.
 * @module
 */
import { keepInStep } from './in-step';
import { pluginsPage } from './plugins-page';
import { settingsPage } from './settings-page';

const pages = new Map([
  ['docs/settings.md', settingsPage()],
  ['docs/plugins.md', pluginsPage()],
]);
void keepInStep(pages, { script: 'setup/references.ts' });
