import { expect, test } from "vitest";
import { sha256 } from "../../../src/cli/files/sha256.ts";
import { compile } from "../../../src/graph/compile.ts";
import { graphFingerprint } from "../../../src/graph/fingerprint.ts";
import { workloadOf, type Graph } from "../../../src/graph/graph.ts";
import { checkEnvironment } from "../../../src/plan/check.ts";
import { releasesIn } from "../../../src/plan/releases-in.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { parseReleases } from "../../../src/plan/parse-releases.ts";
import { changed, checkAllChanged, ENVIRONMENT, located, marked, MIGRATIONS, PLAN, planOf, RELEASES } from "./plans.ts";

const AS_PROCESSES =
  "{ driver: process, balancer: { tokyo: http://127.0.0.1:7190, frankfurt: http://127.0.0.1:7290 }, instances: 6 }";
const AS_PODS =
  "{ driver: kubernetes, deployment: gateway, service: gateway, contexts: { tokyo: prod-tokyo, frankfurt: prod-frankfurt }, instances: 6, port: 8080 }";
const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;
const imageOf = (letter: string) => `registry/venue/gateway@${digestOf(letter)}`;
const IMAGES = `releases:
  gateway@1.0: { kubernetes: { image: "${imageOf("1")}" } }
  gateway@2.0: { kubernetes: { image: "${imageOf("2")}" } }
`;

/** The usual environment in a cluster, with what it says of releases. */
const inCluster = (releases: string) => `${changed(ENVIRONMENT, [[AS_PROCESSES, AS_PODS]])}${releases}`;
const onPods = (releases: string, listed: readonly (readonly [string, string])[] = []) =>
  checkAllChanged({
    environment: [
      [AS_PROCESSES, AS_PODS],
      ["\ncomponents:", `\n${releases}components:`],
    ],
    releases: listed,
  });

function graphIn(text: string): Graph {
  const environment = located(parseEnvironment(text, "production.yaml")).value;
  const releases = located(parseReleases(RELEASES, "releases.yaml")).value;
  return compile({
    plan: planOf(PLAN).value,
    environment,
    releases: { ...releases, releases: releasesIn(releases.releases, environment.releases) },
    migrations: MIGRATIONS,
    sha256,
  });
}

test("a plan and its releases that run processes run pods, and nothing but the environment file differs", () => {
  expect(onPods(IMAGES)).toEqual([]);
  expect(workloadOf(graphIn(inCluster(IMAGES)), "gateway")?.target).toEqual({
    release: "gateway@2.0",
    digest: digestOf("2"),
  });
});

test.each([
  { name: "the image that is brought", from: imageOf("2"), to: imageOf("3") },
  { name: "the image to go back to", from: imageOf("1"), to: imageOf("3") },
  { name: "where an image is pulled from", from: "registry/venue", to: "elsewhere/venue" },
  { name: "that a release is listed", from: `  gateway@1.0: { kubernetes: { image: "${imageOf("1")}" } }\n`, to: "" },
])("what was certified for an environment covers what it says of releases: $name", ({ from, to }) => {
  const [before, after] = [IMAGES, changed(IMAGES, [[from, to]])].map((one) =>
    graphFingerprint(graphIn(inCluster(one)), sha256),
  );
  expect(after).not.toBe(before);
});

test("the order in which an environment lists releases says nothing", () => {
  const [head = "", first = "", second = ""] = IMAGES.split("\n");
  const turned = `${[head, second, first].join("\n")}\n`;
  expect(graphIn(inCluster(turned))).toEqual(graphIn(inCluster(IMAGES)));
});

test.each([
  {
    name: "another image",
    own: `kubernetes: { image: "${imageOf("2")}" }`,
    listed: `kubernetes: { image: "${imageOf("3")}" }`,
    says: "gateway@2.0 has another image for the driver kubernetes here than in releases.yaml",
    mark: "kubernetes",
  },
  {
    name: "other config",
    own: `kubernetes: { image: "${imageOf("2")}", config: { limits: "${digestOf("a")}", keys: "${digestOf("c")}" } }`,
    listed: `kubernetes: { image: "${imageOf("2")}", config: { limits: "${digestOf("b")}" } }`,
    says: "gateway@2.0 has another config limits and another config keys for the driver kubernetes here than in releases.yaml",
    mark: "kubernetes",
  },
  {
    name: "another program",
    own: `process: { digest: "${digestOf("0")}", path: ./here, run: [node, other.js] }`,
    listed: "",
    says: "gateway@2.0 has another run for the driver process here than in releases.yaml",
    mark: "process",
  },
  {
    name: "another observation",
    own: `command: { digest: "${digestOf("1")}" }`,
    listed: `command: { digest: "${digestOf("2")}" }`,
    says: "gateway@2.0 has another digest for the driver command here than in releases.yaml",
    mark: "command",
  },
])("a release that has $name than releases.yaml says is refused, at its line", ({ own, listed, says, mark }) => {
  const problems = onPods(
    `releases: { gateway@2.0: { kubernetes: { image: "${imageOf("2")}" } } }\n`.replace(
      /kubernetes: .* } } }/,
      `${own}${own.startsWith("kubernetes") ? "" : `, kubernetes: { image: "${imageOf("2")}" }`} } }`,
    ),
    listed === "" ? [] : [["{ process:", `{ ${listed}, process:`]],
  );
  expect(problems.map(({ code, message, file }) => ({ code, message, file }))).toEqual([
    { code: "RELEASE_CONTRADICTED", message: says, file: "production.yaml" },
  ]);
  expect(problems.map(marked)).toEqual([mark]);
  expect(problems[0]?.hint).toContain("another version");
});

test("the same said twice is no contradiction, wherever a folder lies as seen from the two files", () => {
  const image = `kubernetes: { image: "${imageOf("2")}" }`;
  const program = `process: { digest: "${digestOf("0")}", path: ../../dist/gateway-2.0, run: [node, main.js] }`;
  expect(
    onPods(`releases: { gateway@2.0: { ${image}, ${program} } }\n`, [["{ process:", `{ ${image}, process:`]]),
  ).toEqual([]);
});

test("a release for another driver than the environment's is told with both places where it may be said", () => {
  const problems = onPods(`releases: { gateway@1.0: { kubernetes: { image: "${imageOf("1")}" } } }\n`);
  expect(problems).toMatchObject([
    {
      code: "RELEASE_UNKNOWN",
      file: "releases.yaml",
      message: "gateway@2.0 says nothing for the driver kubernetes, which runs gateway in production",
      hint: "add `kubernetes` with its digest, here or under `releases` in production.yaml",
    },
  ]);
});

test("a release that the environment alone lists, and not for its driver, is told where it stands", () => {
  const problems = onPods(`releases: { gateway@2.0: { command: { digest: "${digestOf("1")}" } } }\n`, [
    ["gateway@2.0", "gateway@1.9"],
  ]);
  expect(problems).toMatchObject([{ code: "RELEASE_UNKNOWN", file: "production.yaml" }]);
  expect(problems.map(marked)).toEqual(["gateway@2.0"]);
});

test.each([
  {
    name: "an image without a digest",
    one: "gateway@2.0: { kubernetes: { image: registry/gateway:2.0 } }",
    code: "RELEASE_MOVING",
    mark: "registry/gateway:2.0",
  },
  {
    name: "a tag that moves",
    one: `gateway@latest: { kubernetes: { image: "${imageOf("2")}" } }`,
    code: "RELEASE_MOVING",
    mark: "gateway@latest",
  },
  { name: "nothing for any driver", one: "gateway@2.0: {}", code: "RELEASE_UNKNOWN", mark: "gateway@2.0" },
])("an environment lists releases by the rules of releases.yaml: $name is refused", ({ one, code, mark }) => {
  const problems = checkEnvironment(located(parseEnvironment(inCluster(`releases: { ${one} }\n`), "production.yaml")));
  expect(problems.map((problem) => problem.code)).toEqual([code]);
  expect(problems.map(marked)).toEqual([mark]);
});

test("an environment in the place of releases.yaml is told as one, although it says releases", () => {
  const parsed = parseReleases(inCluster(IMAGES), "releases.yaml");
  expect(parsed.ok ? [] : parsed.problems).toMatchObject([
    { code: "FILE_OF_OTHER_KIND", message: "this is an environment; a releases file is expected" },
  ]);
});
