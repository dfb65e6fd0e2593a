import { Bug } from "../errors/bug.ts";

/** A text with places that are filled in later: `Bearer {token}`. */
export type Template = readonly (string | Placeholder)[];
export type Placeholder = { readonly name: string };

export type ParsedTemplate =
  | { readonly kind: "read"; readonly template: Template }
  | { readonly kind: "wrong"; readonly at: number; readonly length: number; readonly why: string };

const PIECE = /\{\{|\}\}|\{([A-Za-z][\w-]*(?:\.id)?)\}|[{}]/g;

/** `{name}` is a place; a brace itself is written twice. */
export function parseTemplate(text: string): ParsedTemplate {
  const parts: (string | Placeholder)[] = [];
  let literal = "";
  let from = 0;
  for (const match of text.matchAll(PIECE)) {
    const [piece, name] = match;
    literal += text.slice(from, match.index);
    from = match.index + piece.length;
    if (name !== undefined) {
      if (literal !== "") parts.push(literal);
      literal = "";
      parts.push({ name });
    } else if (piece.length === 2) literal += piece.slice(1);
    else
      return {
        kind: "wrong",
        at: match.index,
        length: 1,
        why: "no name stands in these braces; a brace as such is written twice",
      };
  }
  literal += text.slice(from);
  return { kind: "read", template: literal === "" ? parts : [...parts, literal] };
}

/** A text that the rules let through. Anything else is a `Bug`. */
export function templateOf(text: string): Template {
  const parsed = parseTemplate(text);
  if (parsed.kind === "wrong") throw new Bug(`the text of a request passed the rules, but ${parsed.why}`);
  return parsed.template;
}

export const placeholdersOf = (template: Template): readonly string[] =>
  template.flatMap((part) => (typeof part === "string" ? [] : [part.name]));

/** Where in the text a placeholder stands, for messages. */
export const placeOf = (text: string, name: string): { readonly at: number; readonly length: number } => ({
  at: Math.max(0, text.indexOf(`{${name}}`)),
  length: name.length + 2,
});
