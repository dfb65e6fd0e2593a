import { lineOf } from "../../rehearsal/report/text.ts";
import { versionLine } from "../../view/json.ts";
import type { CliIo } from "../io.ts";
import type { RehearseOrder } from "./rehearse-plan.ts";

/** What happens, a line each; the same facts as JSON for machines. */
export function rehearsalProgress(io: CliIo, isJson: boolean): RehearseOrder["progress"] {
  if (isJson) {
    io.print(versionLine(io.version));
    return {
      starting: (next) => io.print(JSON.stringify({ kind: "drill-started", ...next })),
      drilled: (drill) => io.print(JSON.stringify({ ...drill, kind: "drill", about: drill.kind })),
      soaking: (record) => io.print(JSON.stringify({ kind: "soaking", ...record })),
      event: () => {},
    };
  }
  let soakedS = 0;
  return {
    starting: ({ name, number, of }) => io.say(`${of === 0 ? "" : `${number}/${of} `}${name} …`),
    drilled: (drill) => io.print(lineOf(drill)),
    soaking: ({ healthyMs, askedMs }) => {
      const now = Math.floor(healthyMs / 1000);
      if (now < soakedS + 10 && healthyMs < askedMs) return;
      soakedS = now;
      io.say(`stable in demo: ${now} s of ${Math.round(askedMs / 1000)} s`);
    },
    event: () => {},
  };
}
