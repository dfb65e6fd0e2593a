import type { Count } from "../../src/guard/count.ts";
import { foldIntoBins, freshBinStream } from "../../src/guard/detector/bin-stream.ts";
import { evidenceIn } from "../../src/guard/detector/mixture.ts";
import { isAlarm, promisedBy } from "../../src/guard/detector/promise.ts";
import { foldFamily, freshFamily, sumsOf } from "../../src/guard/family.ts";
import { delaysOf, toldDelays, type Run } from "./delays.ts";
import { binomial, type Luck } from "./luck.ts";
import { luckFor, MONTH_SEC, P0, type Part, type Size } from "./part.ts";

const COHORTS = 100;
const PER_SEC = 500;
const BIN_MS = 100;
/** Until then all cohorts have been seen, and nothing fails but by luck. */
const WARM_SEC = 3;

/** One cohort in a hundred fails totally: it must be found nearly as soon as if nobody else were there. */
export const cohorts = ({ runs, seed }: Size): Part => {
  const some = Math.ceil(runs / 20);
  const [many, one] = [luckFor(seed, "cohorts"), luckFor(seed, "alone")];
  const among = delaysOf(some, () => amongMany(many));
  const alone = delaysOf(some, () => aloneAt(one));
  const [median, p95] = [among.median / alone.median, among.p95 / alone.p95];
  return {
    figures: [
      {
        figure: `one cohort in ${COHORTS} failing totally, ${PER_SEC}/s: found later than if it were the whole stream at its own rate`,
        measured: `median ${median.toFixed(2)} ×, p95 ${p95.toFixed(2)} ×`,
        goal: "at most 1.5 ×",
        ok: median <= 1.5,
      },
    ],
    tables: [
      {
        title: `One cohort of ${COHORTS} fails totally: seconds, median / p95 (failed operations)`,
        head: ["among all", "alone at its own rate", "runs"],
        rows: [[toldDelays(among), toldDelays(alone), String(some)]],
      },
    ],
    raw: { among, alone },
  };
};

const promised = promisedBy(MONTH_SEC);

const amongMany = (luck: Luck): Run => {
  const issuedPerBin = (PER_SEC * BIN_MS) / 1000;
  const warm = (WARM_SEC * 1000) / BIN_MS;
  let [family, lost] = [freshFamily, 0];
  for (let index = 0; ; index++) {
    const [issued, failed] = [new Uint16Array(COHORTS), new Uint16Array(COHORTS)];
    for (let operation = 0; operation < issuedPerBin; operation++) {
      const cohort = Math.floor(luck() * COHORTS);
      issued[cohort] = (issued[cohort] ?? 0) + 1;
      const isBroken = cohort === 0 && index >= warm;
      if (isBroken) lost++;
      if (isBroken || luck() < P0) failed[cohort] = (failed[cohort] ?? 0) + 1;
    }
    const counts: Count[] = [];
    issued.forEach((operations, cohort) => {
      if (operations > 0)
        counts.push({ ...COUNT, cohort: `shard-${cohort}`, issued: operations, failed: failed[cohort] ?? 0 });
    });
    const at = (index + 1) * BIN_MS;
    family = foldFamily(family, { kind: "bin", at, ms: BIN_MS, counts }, sumsOf(counts), P0);
    if (index >= warm && isAlarm(family.evidence.both, promised))
      return { seconds: at / 1000 - WARM_SEC, failed: lost };
  }
};

const COUNT = { operation: "order", region: "tokyo", release: "gateway@2.0", side: "new", source: "live" } as const;

const aloneAt = (luck: Luck): Run => {
  const warm = (WARM_SEC * 1000) / BIN_MS;
  let [stream, lost] = [freshBinStream, 0];
  for (let index = 0; ; index++) {
    const issued = binomial(luck, (PER_SEC * BIN_MS) / 1000, 1 / COHORTS);
    const failed = index >= warm ? issued : binomial(luck, issued, P0);
    if (index >= warm) lost += failed;
    const [from, to] = [index * BIN_MS, (index + 1) * BIN_MS];
    stream = foldIntoBins(stream, { issued, failed, seconds: BIN_MS / 1000, from, to }, P0);
    if (index >= warm && isAlarm(evidenceIn(stream.mixture), promised))
      return { seconds: to / 1000 - WARM_SEC, failed: lost };
  }
};
