import { getHeapSpaceStatistics } from "node:v8";
import { isMainThread, Worker } from "node:worker_threads";
import { boundHeaps } from "../../../../src/cli/heap-bounds.ts";

// Makes and drops objects that live for a while, as lists of an API server do, and prints the most MB that the space of new ones took; then the
// same in a thread.
if (isMainThread && process.argv[2] === "bounded") boundHeaps();
const live: unknown[] = [];
let mostMb = 0;
for (let turn = 0; turn < 60; turn += 1) {
  const pods = Array.from({ length: 3_000 }, (_, index) => ({ index, text: `pod${index}` }));
  live.push(JSON.parse(JSON.stringify(pods)));
  if (live.length > 20) live.shift();
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  mostMb = Math.max(mostMb, (space?.space_size ?? Infinity) / 1_048_576);
}
process.stdout.write(`${mostMb}\n`);
if (isMainThread) {
  const thread = new Worker(new URL(import.meta.url));
  thread.on("error", (error) => {
    throw error;
  });
}
