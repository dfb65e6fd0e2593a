import { defineConfig } from "vitest/config";

/** Real processes, PostgreSQL and users with deadlines: one file at a time, or two cores measure each other. */
const SYSTEM = [
  "test/integration/**/*.test.ts",
  "test/contract/**/*.test.ts",
  "test/cli/**/*.test.ts",
  "test/stories/**/*.test.ts",
];

/** Needs a real Kubernetes cluster: `npm run test:cluster` makes one. */
const CLUSTER = "test/cluster/**/*.test.ts";

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...SYSTEM, CLUSTER, "node_modules/**"],
          maxWorkers: 2,
        },
      },
      // A shared machine may stand still for a while. What fails twice has something to say; what was told again is printed.
      { extends: true, test: { name: "system", include: SYSTEM, fileParallelism: false, retry: 1 } },
      { extends: true, test: { name: "cluster", include: [CLUSTER], fileParallelism: false } },
    ],
  },
});
