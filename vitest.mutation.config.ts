import { defineConfig } from "vitest/config";

/** What Stryker runs, once for each mutant: the guard's small tests, in one worker. Those that play a venue for minutes would take hours. */
export default defineConfig({
  test: {
    include: ["test/unit/guard/**/*.test.ts"],
    exclude: ["judge", "shares", "false-alarms"].map((name) => `test/unit/guard/${name}.test.ts`),
    isolate: false,
    testTimeout: 60_000,
  },
});
