import { expect, test } from "vitest";
import { clusterNamed } from "../../../src/cli/run/state-dir.ts";

test.each([
  { given: "kubernetes:prod/midflight", means: { context: "prod", namespace: "midflight" } },
  {
    given: "kubernetes:arn:aws:eks:eu/prod/midflight",
    means: { context: "arn:aws:eks:eu/prod", namespace: "midflight" },
  },
  { given: "kubernetes:prod", means: undefined },
  { given: "kubernetes:prod/", means: undefined },
  { given: "kubernetes:prod/Upper", means: undefined },
  { given: ".midflight", means: undefined },
])("--state $given names $means", ({ given, means }) => {
  expect(clusterNamed(given)).toEqual(means);
});
