#!/usr/bin/env node
// Starts the cli, no logic. Everything that this file says itself must also be readable for the oldest Node that knows modules.
import { existsSync } from "node:fs";

const fail = (status, sentence) => {
  process.stderr.write(sentence + "\n");
  process.exitCode = status;
};

const version = process.versions.node.split(".").map(Number);
const entry = new URL("../dist/cli/main.js", import.meta.url);

if (process.platform === "win32") {
  fail(3, "midflight runs on Linux and macOS, not on Windows: use WSL.");
} else if (version[0] < 22 || (version[0] === 22 && version[1] < 19)) {
  fail(
    3,
    "midflight needs Node 22.19 or newer, and this is " +
      process.version +
      ": install Node 24, or run it through npm (npm run demo), which brings its own.",
  );
} else if (!existsSync(entry)) {
  fail(5, "midflight is not built: run `npm run build` in its folder.");
} else {
  import(entry.href).catch((error) => {
    process.stderr.write(String((error && error.stack) || error) + "\n");
    process.exitCode = 70;
  });
}
