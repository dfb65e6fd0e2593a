// Appends to a run for as long as it lives, and prints each acknowledged seq on a line of its own.
import { writeSync } from "node:fs";
import { fileRunStore } from "../../../src/adapters/file/run-store.ts";

const [dir = "", run = ""] = process.argv.slice(2);
const store = fileRunStore({ dir, clock: { now: Date.now } });
const journal = (await store.list()).includes(run) ? await store.open(run) : await store.create(run);
try {
  for (;;) {
    const { seq } = await journal.append({
      at: Date.now(),
      fact: { kind: "tally", padding: "x".repeat((journal.records.length * 37) % 400) },
    });
    writeSync(1, `${seq}\n`);
  }
} catch (error) {
  const again = await journal.append({ at: 0 }).then(
    ({ seq }) => `line ${seq} was written`,
    (reason: unknown) => String(reason),
  );
  writeSync(2, `${String(error)}\n${again}\n`);
  process.exitCode = 6;
}
