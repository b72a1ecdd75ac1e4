/**
 * The form of the settings file as JSON schema: what editors check, what `init` writes, and what docs/settings.md tells.
 * A product's own part is in it as a person writes it: secrets by where they lie, durations in words.
 * @module
 */
import { z } from 'zod';
import { plugins } from '../plugins';
import { BadInput } from '../plugins/errors';
import { durationText, inWords } from './fields';
import { holdsSecret } from './plugin-part';
import { settingsFile } from './schema';
import { referenceText } from './secrets';

/** The part of JSON Schema (draft 2020-12) that our forms come out as. */
export interface Form {
  $schema?: string;
  title?: string;
  type?: string;
  description?: string;
  default?: unknown;
  /** What the first settings file writes. */
  example?: unknown;
  const?: unknown;
  enum?: unknown[];
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  required?: string[];
  properties?: Record<string, Form>;
  additionalProperties?: Form | boolean;
  items?: Form;
  anyOf?: Form[];
  oneOf?: Form[];
}

/**
 * A product's part of the file, all but `plugin` itself.
 * @throws BadInput for a product that we do not know.
 */
export function productForm(product: string): Form {
  const schema = Object.hasOwn(plugins, product) ? plugins[product]?.settings : undefined;
  if (!(schema instanceof z.ZodType)) throw new BadInput('LDP_BAD_INPUT', `there is no product ${product}`);
  return asPersonsWrite(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Form);
}

/** The whole file. Below `tenants.*.plugins.*` each product has its own form, told apart by `plugin`. */
export function fileForm(): Form {
  const instance: Form = { oneOf: Object.keys(plugins).map(instanceForm) };
  const withProducts = (form: Form, [next, ...rest]: string[]): Form => {
    if (next === undefined) return instance;
    return next === '*'
      ? { ...form, additionalProperties: withProducts(form.additionalProperties as Form, rest) }
      : { ...form, properties: { ...form.properties, [next]: withProducts(form.properties?.[next] ?? {}, rest) } };
  };
  const file = changed(z.toJSONSchema(settingsFile, { io: 'input' }) as Form, defaultsInWords);
  return withProducts(file, ['tenants', '*', 'plugins', '*']);
}

function instanceForm(product: string): Form {
  const { $schema: _, properties, required = [], ...form } = productForm(product);
  const title = plugins[product]?.title ?? product;
  return {
    ...form,
    title,
    properties: { plugin: { const: product, description: `${title}.` }, ...properties },
    required: ['plugin', ...required],
  };
}

/** Where a text may lie that is no secret: no program is run for it. */
export const elsewhere: Form = { type: 'string', pattern: '^(env|file):.' };

const asPersonsWrite = (form: Form) =>
  changed(form, (part, name) => {
    const { title, description, default: usual, example, ...own } = defaultsInWords(part, name);
    const told = {
      ...(title !== undefined && { title }),
      ...(description !== undefined && { description }),
      ...(usual !== undefined && { default: usual }),
      ...(example !== undefined && { example }),
    };
    if (own.type === 'string' && holdsSecret(name)) return { ...told, type: 'string', pattern: referenceText.source };
    if (own.type === 'integer' && name.endsWith('Ms'))
      return { ...told, anyOf: [own, { type: 'string', pattern: durationText.source }] };
    return own.type === 'string' && (own.pattern ?? own.format ?? own.enum) !== undefined
      ? { ...told, anyOf: [own, elsewhere] }
      : { ...told, ...own };
  });

function defaultsInWords(form: Form, name: string): Form {
  return form.default === undefined ? form : { ...form, default: inWords(form.default, name) };
}

/** Every part of a form changed, the innermost first. An entry of a list has the name of the list. */
function changed(form: Form, change: (part: Form, name: string) => Form, name = ''): Form {
  const { properties, additionalProperties: others, items, anyOf, oneOf } = form;
  const below = (part: Form) => changed(part, change, name);
  return change(
    {
      ...form,
      ...(properties && {
        properties: Object.fromEntries(
          Object.entries(properties).map(([key, part]) => [key, changed(part, change, key)]),
        ),
      }),
      ...(typeof others === 'object' && { additionalProperties: changed(others, change) }),
      ...(items && { items: below(items) }),
      ...(anyOf && { anyOf: anyOf.map(below) }),
      ...(oneOf && { oneOf: oneOf.map(below) }),
    },
    name,
  );
}
