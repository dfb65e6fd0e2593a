import { expect, test } from "vitest";
import { placing } from "../../../../../src/adapters/guard-thread/sources/placing.ts";
import type { WatchedInstance } from "../../../../../src/ports/watcher.ts";

const instance = (
  id: string,
  region: string,
  side: "new" | "old",
  more: Partial<WatchedInstance> = {},
): WatchedInstance => ({
  id,
  region,
  side,
  component: "gateway",
  release: side === "new" ? "gateway@2.0" : "gateway@1.0",
  url: `http://10.0.0.${id.length}:80${id.at(-1) ?? ""}0`,
  inTraffic: true,
  ...more,
});
const WATCHED = [
  instance("tokyo-1", "tokyo", "old"),
  instance("tokyo-2", "tokyo", "new"),
  instance("frankfurt-1", "frankfurt", "old", { url: "http://10.0.0.9:8010" }),
  instance("frankfurt-2", "frankfurt", "new", { url: "http://10.0.0.9:8020", inTraffic: false }),
];
const NEW = { region: "tokyo", release: "gateway@2.0", side: "new", isExposed: true };
const OLD = { region: "tokyo", release: "gateway@1.0", side: "old", isExposed: true };
const UNKNOWN = { region: "tokyo", release: "unknown", side: "unknown" };

test.each([
  { name: "the id of an instance", said: { instance: "tokyo-2" }, place: NEW },
  { name: "its host and port", said: { instance: "10.0.0.7:8020" }, place: NEW },
  {
    name: "its host and port, in a region that has another name there",
    said: { instance: "10.0.0.7:8020", region: "apne1" },
    place: NEW,
  },
  { name: "region and release", said: { region: "tokyo", release: "gateway@1.0" }, place: OLD },
  { name: "region and version", said: { region: "tokyo", release: "2.0" }, place: NEW },
  {
    name: "an instance that is not watched, and a release that is",
    said: { region: "tokyo", release: "2.0", instance: "x" },
    place: NEW,
  },
  { name: "a region alone", said: { region: "tokyo" }, place: UNKNOWN },
  {
    name: "a release that nobody watched has",
    said: { region: "tokyo", release: "3.0" },
    place: { ...UNKNOWN, release: "3.0" },
  },
  {
    name: "an instance of another region than it says",
    said: { region: "tokyo", instance: "frankfurt-1" },
    place: UNKNOWN,
  },
  {
    name: "instances that no user reaches",
    said: { region: "frankfurt", release: "2.0" },
    place: { region: "frankfurt", release: "gateway@2.0", side: "new", isExposed: false },
  },
])("$name tells the side, or that it is not known", ({ said, place }) => {
  expect(placing(WATCHED, ["tokyo", "frankfurt"])(said)).toMatchObject({ kind: "here", place });
});

test("a release that runs on both sides is of neither", () => {
  const both = [instance("tokyo-1", "tokyo", "old"), instance("tokyo-2", "tokyo", "new", { release: "gateway@1.0" })];
  expect(placing(both, ["tokyo"])({ region: "tokyo", release: "1.0" })).toMatchObject({ place: { side: "unknown" } });
});

test("an id that two regions have names nobody without its region", () => {
  const twins = [
    instance("gw-1", "tokyo", "old", { url: "http://10.1.0.1:80" }),
    instance("gw-1", "frankfurt", "new", { url: "http://10.2.0.1:80" }),
  ];
  const place = placing(twins, ["tokyo", "frankfurt"]);
  expect(place({ instance: "gw-1" })).toEqual({ kind: "nowhere" });
  expect(place({ instance: "gw-1", region: "frankfurt" })).toMatchObject({ place: { side: "new" } });
  expect(place({ instance: "gw-1", region: "osaka" })).toEqual({ kind: "elsewhere" });
});

test("a region that the source does not tell of is elsewhere, and none at all is nowhere unless there is but one", () => {
  expect(placing(WATCHED, ["tokyo"])({ region: "frankfurt" })).toEqual({ kind: "elsewhere" });
  expect(placing(WATCHED, ["tokyo"])({ instance: "frankfurt-1" })).toEqual({ kind: "elsewhere" });
  expect(placing(WATCHED, ["tokyo", "frankfurt"])({ release: "2.0" })).toEqual({ kind: "nowhere" });
  expect(placing(WATCHED, ["tokyo"])({ release: "2.0" })).toMatchObject({ place: NEW });
});
