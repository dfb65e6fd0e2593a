import { allowanceText } from "../allows-of.ts";
import type { Certificate } from "./envelope.ts";
import type { RehearsalPredicate } from "./statement.ts";

/** A certificate for people: what was proved, where, by whom, and for how long. It says nothing of whether to believe it. */
export function certificateText({ statement, keyId, sha256 }: Certificate): string {
  const about = statement.predicate;
  const rows: readonly (readonly [string, string])[] = [
    ["certificate", `sha256:${sha256}`],
    ["plan", `${about.plan.name} (${about.plan.fingerprint})`],
    ["for", placeText(about.production)],
    ["rehearsed in", placeText(about.rehearsed)],
    ["valid", `from ${about.validFrom} until ${about.validUntil}`],
    ["soak", `healthy for ${about.soak.healthyMs / 1000} s of ${about.soak.askedMs / 1000} s asked`],
    ["signed", `at ${about.signedAt} by ${about.signer.user}@${about.signer.host}, midflight ${about.midflight}`],
    ["key", `${about.signer.key} (${keyId})`],
  ];
  return [
    rows.map(([name, value]) => `${name.padEnd(13)} ${printable(value)}`).join("\n"),
    section(
      "Releases",
      about.releases.map(({ name, digest }) => `${name}  ${digest}`),
    ),
    section(
      "Files",
      about.plan.files.map(({ name, sha256: sum }) => `${name}  sha256:${sum}`),
    ),
    section(
      "Allowed in migrations",
      (about.allows ?? []).map((one) => allowanceText(one)),
    ),
    section("Drills", drillLines(about)),
    section("Guard", guardLines(about)),
    section("Facts of production that the plan depends on", dependedLines(about)),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

const placeText = (place: RehearsalPredicate["production"]): string =>
  `${place.name} (${place.class}), ${place.steps.length} moves, graph ${place.graphFingerprint}`;

const drillLines = ({ drills }: RehearsalPredicate): readonly string[] =>
  drills.map(
    ({ name, outcome, ms, detail }) =>
      `${outcome.padEnd(7)} ${(ms / 1000).toFixed(1).padStart(7)} s  ${name}: ${detail}`,
  );

const guardLines = ({ guard }: RehearsalPredicate): readonly string[] =>
  guard.streams.map(
    ({ operation, region, release, issued, failed }) =>
      `${operation} in ${region} on ${release}: ${failed} of ${issued} failed`,
  );

function dependedLines({ dependsOn, production }: RehearsalPredicate): readonly string[] {
  const values = new Map(production.facts.map(({ id, value }) => [id, value]));
  return dependsOn.map((id) => `${id} = ${values.get(id) ?? "?"}`);
}

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? "" : [title, ...lines.map((line) => `  ${printable(line)}`)].join("\n");

/** Anybody may have written what is shown before it is verified: no character of it may steer the terminal. */
const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "\uFFFD");
