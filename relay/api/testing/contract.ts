import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parse } from 'yaml';

type Schemas =
  | 'ErrorResponse'
  | 'Model'
  | 'ListModelsResponse'
  | 'CreateChatCompletionResponse'
  | 'CreateChatCompletionStreamResponse'
  | 'CreateCompletionResponse'
  | 'CreateCompletionStreamResponse'
  | 'CreateChatCompletionRequest'
  | 'CreateCompletionRequest';

const FILE = new URL('../../../fixtures/openapi/openai.yaml', import.meta.url);
const ajv = new Ajv2020({
  allErrors: true,
  strict: true,
  allowUnionTypes: true,
  strictTypes: false,
  strictRequired: false,
});
/** The description itself, with its paths. */
export const DESCRIPTION = parse(readFileSync(FILE, 'utf8')) as {
  paths: Record<string, Record<string, unknown>>;
  components: { schemas: Record<string, unknown> };
};
// JSON Schema keeps its parts under another name than OpenAPI.
const parts = JSON.stringify(DESCRIPTION.components.schemas).replaceAll('#/components/schemas/', '#/$defs/');
ajv.addSchema({ $id: 'https://example.org/openai', $defs: JSON.parse(parts) });
const compiled = new Map<string, ValidateFunction>();

/** What is wrong with a value by OpenAI's description, in words; empty when nothing is. */
export function faults(schema: Schemas, value: unknown): string {
  let validate = compiled.get(schema);
  if (!validate) {
    validate = ajv.compile({ $ref: `https://example.org/openai#/$defs/${schema}` });
    compiled.set(schema, validate);
  }
  return validate(value) ? '' : `${ajv.errorsText(validate.errors)}: ${JSON.stringify(value).slice(0, 400)}`;
}
