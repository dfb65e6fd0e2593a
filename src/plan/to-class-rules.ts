import { defined } from "./defined.ts";
import type { ClassRules, CodesByClass } from "./model.ts";
import type { ClassRulesInput } from "./schema/class-rules-schema.ts";

/** What is written of an API's outcomes → what it means. */
export const toClassRules = (input: ClassRulesInput): ClassRules =>
  defined({
    extends: input.extends,
    code: input.code,
    codes: input.codes === undefined ? {} : defined(input.codes),
    status: statusesOf(input.status ?? {}),
    transport: input.transport === undefined ? {} : defined(input.transport),
    lostState: input.lostState,
    failingPrefix: input.failingPrefix,
    answers: input.answers ?? ("json" as const),
  });

const statusesOf = (status: NonNullable<ClassRulesInput["status"]>): CodesByClass =>
  Object.fromEntries(
    Object.entries(status).flatMap(([outcome, items]): readonly (readonly [string, readonly string[]])[] =>
      items === undefined ? [] : [[outcome, items.map(String)]],
    ),
  );
