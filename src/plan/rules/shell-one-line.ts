import type { Complaint, Path } from "../source/source.ts";
import type { PlanRule } from "./rule.ts";

/** A shell gets one command line. Several words would be joined by guess. */
export const shellOneLine: PlanRule = (plan) => [
  ...plan.steps.flatMap((step, index) =>
    step.kind === "run" && step.shell
      ? [
          ...judge(step.argv, ["steps", index, "run", "argv"]),
          ...judge(step.undo ?? [""], ["steps", index, "run", "undo"]),
        ]
      : [],
  ),
  ...Object.entries(plan.backups).flatMap(([name, actions]) =>
    actions.flatMap((action, index) =>
      action.kind === "run" && action.shell ? judge(action.argv, ["backups", name, index, "run"]) : [],
    ),
  ),
];

const judge = (argv: readonly string[], path: Path): readonly Complaint[] =>
  argv.length === 1
    ? []
    : [
        {
          code: "SHELL_WORDS",
          message: `a shell gets one command line, and this has ${argv.length} words`,
          path,
          hint: 'write it as one text in a list: ["a | b"], or leave out `shell`',
        },
      ];
