import { Chalk } from "chalk";
import { Bug } from "../errors/bug.ts";
import { CATALOG, EXIT } from "../errors/catalog.ts";
import { BadInput } from "../errors/problem.ts";
import { renderProblems } from "../errors/render.ts";
import { UpgradeError } from "../errors/upgrade-error.ts";
import type { CliIo, ExitStatus } from "./io.ts";
import { hasColor } from "./output.ts";

/** Tells a person what went wrong and what to do; never a stack trace for something they did. */
export function statusOf(io: CliIo, error: unknown): ExitStatus {
  const chalk = new Chalk({ level: hasColor(io, io.stderr) ? 1 : 0 });
  if (error instanceof BadInput) {
    io.say(renderProblems(error.problems, (style, text) => (style === "bad" ? chalk.red(text) : chalk.bold(text))));
    return EXIT.badInput;
  }
  if (error instanceof UpgradeError) {
    io.say(`${chalk.red("error")} ${error.code}: ${error.message}\n  ${error.hint}\n  More: ${error.docs}`);
    return CATALOG[error.code].exit;
  }
  const bug = error instanceof Bug ? error : new Bug(error instanceof Error ? error.message : String(error), error);
  io.say(
    `${chalk.red("bug")} ${bug.message}\n  This should not happen. Please report it with the lines below; nothing else was changed.\n${stackOf(bug)}`,
  );
  return EXIT.bug;
}

const stackOf = (bug: Bug): string => (bug.cause instanceof Error ? (bug.cause.stack ?? "") : (bug.stack ?? ""));
