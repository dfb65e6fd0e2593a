import { messageOf } from "../../errors/message-of.ts";
import * as z from "zod";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { ListedQuery } from "../../ports/trials.ts";

const list = z
  .array(
    z.strictObject({
      name: z.string().min(1),
      sql: z.string().min(1),
      params: z.string().min(1),
      after: z.array(z.string()).optional(),
    }),
  )
  .min(1);

/** The statements that a release sends to its store. Throws `STATEMENTS_MALFORMED` with every problem. */
export function readStatements(text: string, file: string): readonly ListedQuery[] {
  const refuse = (problems: readonly string[]) =>
    new UpgradeError("STATEMENTS_MALFORMED", `${file}: ${problems.join("; ")}`, {
      hint: "give a list of { name, sql, params }, with `after` where a statement needs rows of another",
    });
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw refuse([`no JSON: ${messageOf(error)}`]);
  }
  const parsed = list.safeParse(given);
  if (!parsed.success)
    throw refuse(parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the whole"}: ${message}`));
  const names = parsed.data.map(({ name }) => name);
  const twice = names.filter((name, at) => names.indexOf(name) !== at);
  const lost = parsed.data.flatMap(({ name, after = [] }) =>
    after
      .filter((other) => other === name || !names.includes(other))
      .map((other) => `${name} comes after ${other}, which is no other statement of the list`),
  );
  const problems = [...twice.map((name) => `${name} is listed twice`), ...lost];
  if (problems.length > 0) throw refuse(problems);
  return parsed.data.map(({ after, ...query }) => ({ ...query, ...(after === undefined ? {} : { after }) }));
}
