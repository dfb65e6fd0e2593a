// Preloaded into a measured process: writes its peak resident memory in kB to file descriptor 3 when it ends.
import { readFileSync, writeSync } from "node:fs";

/** Of this program alone: on Linux the rusage of a child begins with that of the process that started it. */
function peakKb() {
  try {
    const kb = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    if (kb !== undefined) return Number(kb);
  } catch {
    // No Linux.
  }
  return process.resourceUsage().maxRSS;
}

process.on("exit", () => writeSync(3, String(peakKb())));
