import { dayText } from "../../plan/day.ts";
import type { FactGroup, FactValue, Severity } from "../../ports/facts.ts";
import { utc } from "../../events/utc.ts";
import type { PlacedAcceptance } from "./accept.ts";
import type { Comparison, Difference, Side } from "./compare.ts";

export type Style = "bad" | "good" | "warn" | "dim" | "bold";
export type TextOptions = {
  /** Shows what is good to know too, and lists of any length. */
  readonly isWhole: boolean;
  readonly paint: (style: Style, text: string) => string;
};

/** A comparison as a diff: what stands in the first is marked with `-`, what stands in the second with `+`. */
export function comparisonText(comparison: Comparison, options: TextOptions): string {
  const { paint, isWhole } = options;
  const shown = SEVERITIES.filter((severity) => severity !== "info" || isWhole);
  return [
    ...shown.flatMap((severity) => section(comparison, severity, options)),
    ...comparison.expired.map((one) => paint("warn", `no longer accepted: ${acceptanceText(one)}`)),
    ...comparison.unused.map((one) => paint("dim", `accepted, and no difference: ${acceptanceText(one)}`)),
    ...comparison.notThere.map((id) => paint("warn", `${id}: there is no such table on either side`)),
    ...(isWhole
      ? comparison.accepted.map(({ difference, by }) =>
          paint("dim", `accepted: ${difference.id}, by ${acceptanceText(by)}`),
        )
      : []),
    summaryOf(comparison),
    ...(!isWhole && comparison.differences.some(({ severity }) => severity === "info")
      ? [paint("dim", "--all shows what is only good to know")]
      : []),
  ].join("\n");
}

/** One sentence. */
export function summaryOf({ a, b, differences, accepted }: Comparison): string {
  const counts = SEVERITIES.flatMap((severity) => {
    const count = differences.filter((one) => one.severity === severity).length;
    return count === 0 ? [] : [`${count} ${COUNTED[severity]}`];
  });
  const told = [...counts, ...(accepted.length === 0 ? [] : [`${accepted.length} accepted`])];
  const sides = `${sideText(a)} and ${sideText(b)}`;
  return told.length === 0 ? `${sides} are alike.` : `${sides} differ: ${told.join(", ")}.`;
}

/** A difference in one line, for reports. */
export const lineOf = ({ id, why, a, b }: Difference, sides: Pick<Comparison, "a" | "b">): string => {
  const [left, right] = changed(a, b);
  return `${id}: ${sides.a.name} ${left}, ${sides.b.name} ${right}${why === undefined ? "" : ` (${why})`}`;
};

const SEVERITIES: readonly Severity[] = ["block", "warn", "info"];
const COUNTED: Readonly<Record<Severity, string>> = {
  block: "that must not be",
  warn: "to look at",
  info: "good to know",
};
const HEADS: Readonly<Record<Severity, string>> = {
  block: "Must not be: what is proved in one says nothing of the other",
  warn: "To look at: they may behave differently",
  info: "Good to know",
};
const STYLES: Readonly<Record<Severity, Style>> = { block: "bad", warn: "warn", info: "dim" };

/** More than these of one kind are counted. */
const MOST_SHOWN = 20;

function section(comparison: Comparison, severity: Severity, options: TextOptions): readonly string[] {
  const { paint, isWhole } = options;
  const meant = comparison.differences.filter((one) => one.severity === severity);
  if (meant.length === 0) return [];
  const groups = Map.groupBy(meant, headOf);
  return [
    paint(STYLES[severity], HEADS[severity]),
    ...[...groups].flatMap(([head, all]) => {
      const shown = isWhole ? all : all.slice(0, MOST_SHOWN);
      return [
        `  ${paint("bold", head)}`,
        ...shown.flatMap((one) => differenceText(one, comparison, options)),
        ...(shown.length < all.length ? [`    … and ${all.length - shown.length} more; --all shows them`] : []),
      ];
    }),
    "",
  ];
}

const headOf = ({ component, group, id }: Difference): string => {
  if (group !== "reference") return [component, GROUPS[group]].filter((part) => part !== undefined).join(", ");
  return `${component ?? ""}, rows of ${id.split("/")[2] ?? id}`;
};

const GROUPS: Readonly<Record<FactGroup, string>> = {
  identity: "which one it is",
  topology: "topology",
  releases: "releases",
  instances: "instances",
  configuration: "configuration",
  limits: "limits",
  server: "server",
  settings: "settings",
  extensions: "extensions",
  rights: "roles and rights",
  migrations: "migrations",
  schema: "schema",
  reference: "reference tables",
  sizes: "sizes",
  clock: "clock",
};

function differenceText(
  { id, component, why, a, b }: Difference,
  sides: Pick<Comparison, "kind" | "a" | "b">,
  { paint }: TextOptions,
): readonly string[] {
  const [before, after] = changed(a, b);
  const lines: readonly (readonly [string, string])[] = [
    [nameIn(sides, "a"), before],
    [nameIn(sides, "b"), after],
  ];
  // What was comes before what is, whichever was named first.
  const [minus, plus] = sides.kind === "drift" && sides.b.takenAt !== undefined ? lines.toReversed() : lines;
  const width = Math.max(...lines.map(([name]) => name.length));
  const line = (sign: string, [name, text]: readonly [string, string] = ["", ""]): string =>
    `      ${sign} ${name.padEnd(width)}  ${text}`;
  const name = component !== undefined && id.startsWith(`${component}/`) ? id.slice(component.length + 1) : id;
  return [
    `    ${name}${why === undefined ? "" : `: ${why}`}`,
    paint("bad", line("-", minus)),
    paint("good", line("+", plus)),
  ];
}

/** Its name, or of one environment at two times which time. */
const nameIn = (sides: Pick<Comparison, "kind" | "a" | "b">, which: "a" | "b"): string =>
  sides.kind === "drift" ? wordOf(sides[which]) : sides[which].name;

const wordOf = ({ takenAt }: Omit<Side, "facts">): string => (takenAt === undefined ? "now" : "then");

/** Only the names that differ, so that one column is found among fifty. */
function changed(a: FactValue | undefined, b: FactValue | undefined): readonly [string, string] {
  if (a === undefined || b === undefined || typeof a === "string" || typeof b === "string")
    return [valueText(a), valueText(b)];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => own(a, name) !== own(b, name));
  const only = (value: Readonly<Record<string, string>>): string =>
    names.map((name) => `${name}: ${own(value, name) ?? "nothing"}`).join(", ");
  return [only(a), only(b)];
}

const own = (value: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(value, name) ? value[name] : undefined;

const valueText = (value: FactValue | undefined): string => {
  if (value === undefined) return "not there";
  if (typeof value === "string") return cut(value === "" ? "empty" : value);
  return cut(
    Object.entries(value)
      .map(([name, text]) => `${name}: ${text}`)
      .join(", ") || "there",
  );
};

/** A function's text goes on for pages, and a terminal obeys what it is told. */
const cut = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").replaceAll(/[\p{Cc}\p{Cf}]/gu, "?");
  return line.length <= MOST_CHARACTERS ? line : `${line.slice(0, MOST_CHARACTERS)}…`;
};
const MOST_CHARACTERS = 160;

const sideText = ({ name, takenAt }: Omit<Side, "facts">): string =>
  takenAt === undefined ? name : `${name} as it was at ${utc(takenAt)}`;

const acceptanceText = ({ fact, because, untilMs, from, index }: PlacedAcceptance): string =>
  `${fact} until ${dayText(untilMs)}, because ${because} (${from}, accept ${index + 1})`;
