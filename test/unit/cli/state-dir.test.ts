import { expect, test } from "vitest";
import { clusterNamed } from "../../../src/cli/run/state-dir.ts";

test.each([
  { given: "kubernetes:prod/midflight", means: { context: "prod", namespace: "midflight" } },
  {
    given: "kubernetes:arn:aws:eks:eu/prod/midflight",
    means: { context: "arn:aws:eks:eu/prod", namespace: "midflight" },
  },
  { given: ".midflight", means: undefined },
  { given: "./kubernetes:prod", means: undefined },
])("--state $given names $means", ({ given, means }) => {
  expect(clusterNamed(given)).toEqual(means);
});

test.each(["kubernetes:prod", "kubernetes:prod/", "kubernetes:prod/Upper", "kubernetes:/midflight"])(
  "--state %s is a slip, and no folder is made of it",
  (given) => {
    expect(() => clusterNamed(given)).toThrow(
      expect.objectContaining({
        code: "USAGE",
        message: expect.stringContaining(given),
        hint: expect.stringContaining("CONTEXT/NAMESPACE"),
      }),
    );
  },
);
