#!/usr/bin/env node
// kubectl finds it on the PATH by this name; the cli tells by it how it was called, and is the same otherwise.
import("./midflight.js").catch((error) => {
  process.stderr.write(String((error && error.stack) || error) + "\n");
  process.exitCode = 70;
});
