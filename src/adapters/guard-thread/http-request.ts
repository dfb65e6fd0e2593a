import { Bug } from "../../errors/bug.ts";
import { jsonPathOf, type JsonPath } from "../../plan/json-path.ts";
import type { HttpMethod, HttpOperation, HttpProbe, HttpRequest, Operation } from "../../plan/model.ts";
import { textsOf } from "../../plan/request-texts.ts";
import { placeholdersOf, templateOf, type Template } from "../../plan/template.ts";

/** What a placeholder stands for. */
export type Plain = string | number | boolean;
export type Scope = Readonly<Record<string, Plain>>;

export type MadeRequest = {
  readonly method: HttpMethod;
  /** Without the path of the address. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** An operation whose texts are read, ready to be filled in many times. */
export type PreparedOperation = {
  readonly name: Operation;
  /** Placeholders of its own request. */
  readonly needs: readonly string[];
  /** Placeholders of the request that shows it, but for those that it makes itself. */
  readonly proofNeeds: readonly string[];
  readonly request: (scope: Scope) => MadeRequest;
  readonly keep: readonly { readonly name: string; readonly path: JsonPath; readonly text: string }[];
  readonly shown?: {
    readonly request: (scope: Scope) => MadeRequest;
    readonly at: JsonPath;
    readonly is: (scope: Scope) => string;
  };
};

export const prepare = ({ headers, operations }: HttpProbe): readonly PreparedOperation[] =>
  operations.map((operation) => prepareOne(operation, headers));

type Headers = Readonly<Record<string, string>>;

const prepareOne = (operation: HttpOperation, common: Headers): PreparedOperation => {
  const { name, body, keep, shown } = operation;
  const { request, proof } = textsOf(operation, []);
  const ownMade = [`${name}.id`, ...Object.keys(keep)];
  const head = headOf(operation, common);
  const fillBody = body === undefined ? undefined : body.kind === "json" ? json(body.value) : text(body.text);
  return {
    name,
    needs: placeholdersIn([...Object.values(common), ...request.map((placed) => placed.text)]),
    proofNeeds: placeholdersIn(proof.map((placed) => placed.text)).filter((needed) => !ownMade.includes(needed)),
    request: (scope) => {
      const made = head(scope);
      if (fillBody === undefined) return made;
      const type = body?.kind === "json" && !hasType(made.headers) ? { "content-type": "application/json" } : {};
      return { ...made, headers: { ...type, ...made.headers }, body: fillBody(scope) };
    },
    keep: Object.entries(keep).map(([kept, path]) => ({ name: kept, path: jsonPathOf(path), text: path })),
    ...(shown === undefined
      ? {}
      : { shown: { request: headOf(shown, common), at: jsonPathOf(shown.at), is: text(shown.is) } }),
  };
};

const placeholdersIn = (texts: readonly string[]): readonly string[] => [
  ...new Set(texts.flatMap((one) => placeholdersOf(templateOf(one)))),
];

const headOf = ({ method, path, headers }: HttpRequest, common: Headers): ((scope: Scope) => MadeRequest) => {
  const target = templateOf(path);
  const templates = Object.entries(merged(common, headers)).map(([name, value]) => [name, templateOf(value)] as const);
  return (scope) => ({
    method,
    path: fill(target, scope, encodeURIComponent),
    headers: Object.fromEntries(templates.map(([name, template]) => [name, fill(template, scope, printable)])),
  });
};

/** Names of headers know no case: those of the operation win. */
const merged = (common: Headers, own: Headers): Headers =>
  Object.fromEntries(
    [...Object.entries(common), ...Object.entries(own)].map(([name, value]) => [name.toLowerCase(), value]),
  );

const hasType = (headers: Headers): boolean => headers["content-type"] !== undefined;

/** What an answer brought must not add a header of its own. */
const printable = (value: string): string => value.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, "");

const text = (value: string): ((scope: Scope) => string) => {
  const template = templateOf(value);
  return (scope) => fill(template, scope, (filled) => filled);
};

const json = (value: unknown): ((scope: Scope) => string) => {
  const fillValue = jsonValue(value);
  return (scope) => JSON.stringify(fillValue(scope));
};

/** A text that is nothing but a placeholder becomes its value, also where that is a number. */
const jsonValue = (value: unknown): ((scope: Scope) => unknown) => {
  if (typeof value === "string") {
    const template = templateOf(value);
    const [only] = template;
    if (template.length === 1 && typeof only === "object") return (scope) => valueOf(only.name, scope);
    return (scope) => fill(template, scope, (filled) => filled);
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => jsonValue(item));
    return (scope) => items.map((item) => item(scope));
  }
  if (typeof value !== "object" || value === null) return () => value;
  const entries = Object.entries(value).map(([key, item]) => [key, jsonValue(item)] as const);
  return (scope) => Object.fromEntries(entries.map(([key, item]) => [key, item(scope)]));
};

const fill = (template: Template, scope: Scope, encode: (value: string) => string): string =>
  template.map((part) => (typeof part === "string" ? part : encode(String(valueOf(part.name, scope))))).join("");

const valueOf = (name: string, scope: Scope): Plain => {
  const value = Object.hasOwn(scope, name) ? scope[name] : undefined;
  if (value === undefined) throw new Bug(`nothing says what {${name}} is`);
  return value;
};
