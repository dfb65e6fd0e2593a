import { messageOf } from "../errors/message-of.ts";
import { Chalk } from "chalk";
import { Bug } from "../errors/bug.ts";
import { CATALOG, EXIT } from "../errors/catalog.ts";
import { BadInput, type Problem } from "../errors/problem.ts";
import { renderProblems } from "../errors/render.ts";
import { UpgradeError } from "../errors/upgrade-error.ts";
import type { CliIo, ExitStatus } from "./io.ts";
import { hasColor } from "./terminal/output.ts";

/** Tells a person what went wrong and what to do; never a stack trace for something they did. */
export function statusOf(io: CliIo, error: unknown): ExitStatus {
  if (error instanceof BadInput) {
    io.say(problemText(io, error.problems));
    return EXIT.badInput;
  }
  const chalk = chalkOf(io);
  if (error instanceof UpgradeError) {
    io.say(`${chalk.red("error")} ${error.code}: ${error.message}\n  ${error.hint}\n  More: ${error.docs}`);
    return CATALOG[error.code].exit;
  }
  const bug = error instanceof Bug ? error : new Bug(messageOf(error), error);
  io.say(
    `${chalk.red("bug")} ${bug.message}\n  This should not happen. Please report it with the lines below; nothing else was changed.\n${stackOf(bug)}`,
  );
  return EXIT.bug;
}

/** Problems as a person reads them on standard error. */
export function problemText(io: CliIo, problems: readonly Problem[]): string {
  const chalk = chalkOf(io);
  return renderProblems(problems, (style, text) => (style === "bad" ? chalk.red(text) : chalk.bold(text)));
}

const chalkOf = (io: CliIo) => new Chalk({ level: hasColor(io, io.stderr) ? 1 : 0 });

const stackOf = (bug: Bug): string => (bug.cause instanceof Error ? (bug.cause.stack ?? "") : (bug.stack ?? ""));
