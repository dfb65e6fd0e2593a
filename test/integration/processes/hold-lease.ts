// Takes a lease and prints what becomes of it, a line each: `held EPOCH`, `lost CODE`. Gives it back when its input ends.
import { writeSync } from "node:fs";
import { fileLease } from "../../../src/adapters/file/lease.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";

const [dir = "", machine = "", run = ""] = process.argv.slice(2);
const lease = fileLease({
  dir,
  clock: systemClock,
  ...(machine === "" ? {} : { machine }),
  times: { renewEveryMs: 150, giveUpAfterMs: 1_200, lostAfterMs: 1_500 },
});
const held = await lease.acquire(
  ["production/gateway"],
  { run, host: "test", pid: process.pid },
  new AbortController().signal,
);
held.lost.addEventListener("abort", () => writeSync(1, `lost ${String(held.lost.reason)}\n`));
writeSync(1, `held ${held.epoch}\n`);
process.stdin.on("data", () => {});
process.stdin.on("end", () => void held.release().then(() => writeSync(1, "released\n")));
