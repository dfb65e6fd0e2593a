import { utc } from "../../events/utc.ts";
import type { Drill } from "../drill.ts";
import { allowanceText } from "../allows-of.ts";
import type { Rehearsal } from "../rehearsal.ts";
import { durations, heldLocks } from "./plots.ts";

/** One page without anything from elsewhere: what was drilled, what came of it, and where the time went. */
export function html(rehearsal: Rehearsal, verdict: string): string {
  const { drills } = rehearsal;
  const failed = drills.filter(({ outcome }) => outcome === "failed");
  const sections = [
    `<h1>${escaped(`Rehearsal of ${rehearsal.plan}`)}</h1>`,
    `<p class="${failed.length === 0 ? "good" : "bad"}">${escaped(verdict)}</p>`,
    facts(rehearsal),
    failed.length === 0 ? "" : `<h2>What failed</h2>${table(failed)}`,
    `<h2>How long each drill took</h2>${durations(
      drills.filter(({ ms }) => ms > 0).map(({ name, ms, outcome }) => ({ name, ms, outcome })),
    )}`,
    rehearsal.moves.length === 0
      ? ""
      : `<h2>How long each move of the whole plan took</h2>${durations(
          rehearsal.moves.map(({ move, ms }) => ({ name: move, ms, outcome: "passed" })),
        )}`,
    locks(drills),
    `<h2>Every drill</h2>${table(drills)}`,
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(`Rehearsal of ${rehearsal.plan}`)}</title><style>${STYLE}</style></head>
<body>${sections.filter((section) => section !== "").join("\n")}</body></html>
`;
}

function facts(rehearsal: Rehearsal): string {
  const [demo, production] = rehearsal.environments;
  const soak = rehearsal.soak;
  const rows: readonly (readonly [string, string])[] = [
    ["Environments", `rehearsed in ${demo} for ${production}`],
    ["Plan", rehearsal.planFingerprint],
    ["From, to (UTC)", `${utc(rehearsal.startedAt)}, ${utc(rehearsal.endedAt)}`],
    ["Stable in demo", `${(soak.healthyMs / 1000).toFixed(0)} s of ${(soak.askedMs / 1000).toFixed(0)} s asked`],
    ...rehearsal.scaled.map((one): readonly [string, string] => ["Smaller than production", one]),
    ...rehearsal.allows.map((one): readonly [string, string] => ["Allowed in a migration", allowanceText(one)]),
  ];
  return `<table class="facts">${rows.map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`).join("")}</table>`;
}

/** Statements as they were seen on a clone; empty where no migration was tried. */
function locks(drills: readonly Drill[]): string {
  const statements = drills.flatMap((drill) => drill.statements ?? []);
  if (statements.length === 0) return "";
  return `<h2>Locks that migrations took on a clone, and for how long</h2>${heldLocks(statements)}<p>A lock stays until its transaction ends; the dark part of a bar is the statement itself.</p>`;
}

const table = (drills: readonly Drill[]): string =>
  `<table><thead><tr><th>Outcome</th><th>Kind</th><th>Drill</th><th>Time</th><th>What was seen</th></tr></thead><tbody>${drills
    .map(
      (drill) =>
        `<tr class="${drill.outcome}"><td>${drill.outcome}</td><td>${drill.kind}</td><td>${escaped(drill.name)}</td><td class="number">${(drill.ms / 1000).toFixed(1)} s</td><td>${escaped(drill.detail)}</td></tr>`,
    )
    .join("")}</tbody></table>`;

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #ddd;overflow-wrap:anywhere}
tr td:first-child,tr td:nth-child(2){white-space:nowrap}td:last-child{white-space:pre-line}.facts th{width:12rem;font-weight:600;white-space:nowrap}.facts td{white-space:normal!important}.number{white-space:nowrap;text-align:right}
.good{color:#1d5f49;font-weight:600}.bad{color:#b3261e;font-weight:600}tr.failed td:first-child{color:#b3261e;font-weight:600}tr.skipped{color:#666}
figure{margin:0;overflow-x:auto}`;

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign);
