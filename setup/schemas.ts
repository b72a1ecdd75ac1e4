/**
 * Writes `docs/schemas` from the schemas that the code publishes; `--check` compares.
 * @module
 */
import { publishedSchemas } from '../http/schemas';
import { keepInStep } from './in-step';

const files = Object.entries(publishedSchemas).map(
  ([name, schema]) => [`docs/schemas/${name}.json`, JSON.stringify(schema, undefined, 2)] as const,
);
void keepInStep(new Map(files), { folder: 'docs/schemas', script: 'setup/schemas.ts' });
