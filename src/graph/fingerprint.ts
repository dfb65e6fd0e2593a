import type { Graph } from "./graph.ts";

type Sha256 = (text: string) => string;

/** Canonical JSON: keys sorted, no white space, undefined left out. Two equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** Of one environment's compiled graph. */
export const graphFingerprint = (graph: Graph, sha256: Sha256): string => `sha256:${sha256(canonicalJson(graph))}`;

/** Of the plan: the bytes of plan, releases, migrations and programs, each with its name and length, in sorted order. */
export const planFingerprint = (
  files: readonly { readonly name: string; readonly text: string }[],
  sha256: Sha256,
): string =>
  `sha256:${sha256(
    files
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((file) => `${file.name}\0${sha256(file.text)}\n`)
      .join(""),
  )}`;
