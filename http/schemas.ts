/**
 * The schemas that we publish: at `/api/schemas`, and in `docs/schemas`. Fields may be added at any time; readers ignore
 * what they do not know.
 * @module
 */
import { z } from 'zod';
import {
  caseListSchema,
  connectionTestsSchema,
  decidedSchema,
  digestSchema,
  drillReportSchema,
  evidenceListSchema,
  feedListSchema,
  frozenSchema,
  guardListSchema,
  houseAddressesSchema,
  pluginListSchema,
  refusalSchema,
  takenSchema,
  taskListSchema,
  upgradeCheckSchema,
  webhookAnswerSchema,
} from '../playbook/schemas/answers';
import { caseStateSchema } from '../playbook/schemas/case-state';
import {
  attestationSchema,
  checkSchema,
  exceptionsSchema,
  prerequisiteListSchema,
} from '../playbook/schemas/preflight';
import { triageStateSchema } from '../playbook/schemas/triage-state';
import { reportBodyJsonSchema } from '../plugins/report-body';
import { fileForm } from '../settings/form';

const published = (title: string, schema: z.ZodType) => ({ title, ...z.toJSONSchema(schema, { io: 'input' }) });

/** JSON schemas (draft 2020-12) by name. */
export const publishedSchemas: Readonly<Record<string, object>> = {
  'report-webhook': reportBodyJsonSchema(),
  'webhook-answer': published('What became of a webhook', webhookAnswerSchema),
  case: published('A case', caseStateSchema),
  triage: published('A triage', triageStateSchema),
  'case-list': published('Cases and triages', caseListSchema),
  taken: published('What became of a report', takenSchema),
  decided: published('What became of a decision', decidedSchema),
  'task-list': published('Tasks of a case', taskListSchema),
  digest: published('What a shift hands to the next', digestSchema),
  'drill-report': published('The report of a drill', drillReportSchema),
  'feed-list': published('How each feed fares', feedListSchema),
  'guard-list': published('What is frozen, and what was permitted', guardListSchema),
  frozen: published('What became of a freeze', frozenSchema),
  'evidence-list': published('What the archive holds of a case', evidenceListSchema),
  'upgrade-check': published('Whether open workflows go on with this version', upgradeCheckSchema),
  'plugin-list': published('Products of the settings', pluginListSchema),
  'connection-tests': published('A test of one product', connectionTestsSchema),
  'prerequisite-list': published('What must be so', prerequisiteListSchema),
  check: published('What must be so, and what was found', checkSchema),
  attestation: published('What a person saw', attestationSchema),
  exceptions: published('Hosts that a lost device must still reach', exceptionsSchema),
  up: published('Addresses of the house', houseAddressesSchema),
  refusal: published('A refusal over HTTP', refusalSchema),
  settings: { title: 'The settings file', ...fileForm() },
};
