import type * as z from "zod";
import type { Problem } from "../errors/problem.ts";
import { didYouMean } from "./nearest.ts";
import type { Path, Source } from "./source.ts";

/** What zod found → located problems. `known` are the keys of the object at a path, for "did you mean". */
export function problemsOf(source: Source, error: z.ZodError, base: Path = [], known: (path: Path) => readonly string[] = () => []): readonly Problem[] {
  return error.issues.flatMap((issue) => {
    const path = [...base, ...(issue.path as Path)];
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => source.problem("unknown-key", path, `\`${key}\` is no key here`, { key, hint: didYouMean(key, known(path)) }));
      case "invalid_key":
        return [source.problem("bad-name", path.slice(0, -1), issue.issues[0]?.message ?? "this key is no name", { key: String(path.at(-1)) })];
      case "invalid_union":
        return unionProblems(source, issue, path, known);
      case "invalid_type":
        return [typeProblem(source, issue, path)];
      case "invalid_value":
        return [source.problem("bad-value", path, valueMessage(issue), { hint: didYouMean(String(issue.input ?? ""), issue.values.map((one) => String(one))) })];
      default:
        return [source.problem(issue.code === "custom" ? "bad-value" : issue.code.replaceAll("_", "-"), path, issue.message, { offset: offsetOf(issue) })];
    }
  });
}

const valueMessage = (issue: z.core.$ZodIssueInvalidValue): string => (issue.message.startsWith("Invalid") ? `expected ${issue.values.map((one) => `\`${String(one)}\``).join(" or ")}` : issue.message);

function typeProblem(source: Source, issue: z.core.$ZodIssueInvalidType, path: Path): Problem {
  const isMissing = issue.input === undefined;
  const last = path.at(-1);
  if (isMissing && typeof last === "string") return source.problem("missing-key", path.slice(0, -1), `\`${last}\` is missing`, { hint: `add \`${last}:\`` });
  const message = issue.message.startsWith("Invalid") ? `${EXPECTED[issue.expected] ?? issue.expected} is expected` : issue.message;
  return source.problem("bad-type", path, message);
}

const EXPECTED: Readonly<Record<string, string>> = { string: "a text", object: "a map", record: "a map", array: "a list", boolean: "true or false", number: "a number", int: "a whole number" };

/** The branch that came closest says what is wrong; all of them together would say nothing. */
function unionProblems(source: Source, issue: z.core.$ZodIssueInvalidUnion, path: Path, known: (path: Path) => readonly string[]): readonly Problem[] {
  if (!issue.message.startsWith("Invalid")) return [source.problem("bad-value", path, issue.message)];
  const branches = issue.errors.toSorted((a, b) => weight(a) - weight(b));
  const [best = []] = branches;
  return problemsOf(source, { issues: best } as unknown as z.ZodError, path, known);
}

/** Unknown keys mean the wrong branch; so does a wrong type at its very top. */
const weight = (issues: readonly z.core.$ZodIssue[]): number => issues.reduce((sum, issue) => sum + (issue.path.length === 0 ? 10 : 1), 0);

const offsetOf = (issue: z.core.$ZodIssue): number => {
  const params = "params" in issue ? (issue.params as { readonly offset?: number } | undefined) : undefined;
  return params?.offset ?? 0;
};
