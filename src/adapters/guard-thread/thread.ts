import { parentPort } from "node:worker_threads";
import type { FromThread, ToThread } from "./messages.ts";
import { startWatch } from "./watch.ts";

// The entry of the guard's thread. A failure in here ends the thread, and the main side says `unknown`.
if (parentPort !== null) {
  const port = parentPort;
  const watch = startWatch((message: FromThread) => port.postMessage(message));
  port.on("message", (message: ToThread) => void watch.handle(message));
}
