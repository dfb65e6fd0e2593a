import { Chalk } from "chalk";
import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { mattersTo } from "../../rehearsal/parity/certified-facts.ts";
import { compare, isAlike, restricted, type Comparison, type Side } from "../../rehearsal/parity/compare.ts";
import { comparisonText, type Style } from "../../rehearsal/parity/text.ts";
import { collectFacts } from "../facts/collect-facts.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { load } from "../files/load.ts";
import { hasColor } from "../terminal/output.ts";
import { acceptedBy, findSide, type Given } from "../facts/sides.ts";
import { now } from "../wiring/facts.ts";

type Options = {
  readonly plan?: string;
  readonly releases?: string;
  readonly state?: string;
  readonly all?: boolean;
  readonly json?: boolean;
};

/** Where two environments differ, or one environment and what it was. Both are only read. */
export async function parity(
  io: CliIo,
  [first = "", second = ""]: readonly string[],
  options: Options,
): Promise<ExitStatus> {
  const given = [await findSide(io, first, options.plan), await findSide(io, second, options.plan)] as const;
  refuseTheSame(given, [first, second]);
  const sides = await Promise.all(given.map((one) => sideOf(io, one, options)));
  const [a, b] = sides as [Side, Side];
  const whole = compare(a, b, given.flatMap(acceptedBy), now());
  const comparison = options.plan === undefined ? whole : await ofPlan(io, whole, [a, b], given, options);
  if (options.json === true)
    io.print(JSON.stringify({ ...comparison, kind: "comparison", of: comparison.kind, isAlike: isAlike(comparison) }));
  else io.print(comparisonText(comparison, { isWhole: options.all === true, paint: paintOf(io) }));
  return isAlike(comparison) ? EXIT.done : EXIT.pending;
}

async function sideOf(io: CliIo, given: Given, options: Options): Promise<Side> {
  if (given.kind === "snapshot") return given.side;
  const { environment } = given;
  return collectFacts(io, environment, {
    ...(options.state === undefined ? {} : { state: options.state }),
    asking: (component) => {
      if (io.stderr.isTTY && options.json !== true) io.say(`asking ${component} of ${environment.name} …`);
    },
  });
}

/** What this plan stands on, by the graph of an environment that is there. */
async function ofPlan(
  io: CliIo,
  whole: Comparison,
  sides: readonly [Side, Side],
  given: readonly [Given, Given],
  options: Options,
): Promise<Comparison> {
  const living = given.findLast((one) => one.kind === "environment");
  if (living === undefined || options.plan === undefined) return whole;
  const { graph } = await load(io, options.plan, {
    env: living.environment.file,
    ...(options.releases === undefined ? {} : { releases: options.releases }),
  });
  const meant = new Set(
    sides.flatMap(({ facts }) => facts.filter((fact) => mattersTo(graph, fact)).map(({ id }) => id)),
  );
  return restricted(whole, (id) => meant.has(id));
}

function refuseTheSame([a, b]: readonly [Given, Given], names: readonly [string, string]): void {
  if (a.kind === "snapshot" || b.kind === "snapshot" || a.environment.name !== b.environment.name) return;
  throw new UpgradeError("USAGE", `${names.join(" and ")} are the same environment, ${a.environment.name}`, {
    hint: "name two environments, or one and a snapshot of it",
  });
}

function paintOf(io: CliIo): (style: Style, text: string) => string {
  const chalk = new Chalk({ level: hasColor(io, io.stdout) ? 1 : 0 });
  const styles = { bad: chalk.red, good: chalk.green, warn: chalk.yellow, dim: chalk.dim, bold: chalk.bold };
  return (style, text) => styles[style](text);
}
