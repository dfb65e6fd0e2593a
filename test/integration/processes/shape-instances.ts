// Gives a region its shape, and prints what becomes of it, a line: `done`, or the code of the error.
import { readFileSync } from "node:fs";
import { processWorkload } from "../../../src/adapters/process/workload.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";

const { options, region, shape, fence } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write("begun\n");
try {
  await processWorkload({ ...options, clock: systemClock }).shape(region, shape, fence, new AbortController().signal);
  process.stdout.write("done\n");
} catch (error) {
  process.stdout.write(
    `${error instanceof Error && "code" in error ? String(error.code) : "no code"} ${String(error)}\n`,
  );
}
