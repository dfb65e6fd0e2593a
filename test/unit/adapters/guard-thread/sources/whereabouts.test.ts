import { describe, expect, test } from "vitest";
import { unseenIn, type Told } from "../../../../../src/adapters/guard-thread/sources/unseen.ts";
import { startWhereabouts } from "../../../../../src/adapters/guard-thread/sources/whereabouts.ts";
import type { WatchedInstance } from "../../../../../src/ports/watcher.ts";

const instance = (id: string, side: "new" | "old", inTraffic = true): WatchedInstance => ({
  id,
  component: "gateway",
  region: "tokyo",
  release: side === "new" ? "gateway@2.0" : "gateway@1.0",
  side,
  url: `http://${id}:80`,
  inTraffic,
});
const [OLD, NEW] = [instance("gw-1", "old"), instance("gw-2", "new")];
const of = ({ id }: WatchedInstance) => ({ instance: `${id}:80` });
const started = (regions: readonly string[] = ["tokyo", "osaka"]) =>
  startWhereabouts({
    regions,
    targetOf: (labels) => labels["instance"] ?? "",
    saidOf: (labels) => ({ instance: labels["instance"], region: labels["region"] }),
  });

describe("where series come from", () => {
  test("an instance that has left is remembered while its samples last, and forgotten with them", () => {
    const where = started();
    where.instances([OLD, NEW]);
    where.note([of(OLD), of(NEW)]);
    where.instances([NEW]);
    expect(where.note([of(OLD), of(NEW)])).toEqual([]);
    expect(where.placeOf(of(OLD))).toMatchObject({ kind: "here", place: { side: "old" }, instance: "gw-1" });
    where.note([of(NEW)]);
    expect(where.placeOf(of(OLD))).toEqual({ kind: "nowhere" });
  });

  test("an address that another instance took over is that one's", () => {
    const where = started();
    where.instances([OLD]);
    where.note([of(OLD)]);
    where.instances([{ ...NEW, url: OLD.url }]);
    expect(where.placeOf(of(OLD))).toMatchObject({ place: { side: "new" }, instance: "gw-2" });
  });

  test("an instance that was seen is missed while it serves users, again and again, until it is seen or leaves", () => {
    const where = started();
    where.instances([OLD, NEW]);
    expect(where.note([of(OLD)])).toEqual([]);
    expect(where.note([of(NEW)]).map(({ id }) => id)).toEqual(["gw-1"]);
    expect(where.note([of(NEW)]).map(({ id }) => id)).toEqual(["gw-1"]);
    expect(where.note([of(OLD), of(NEW)])).toEqual([]);
    where.note([of(NEW)]);
    where.instances([{ ...OLD, inTraffic: false }, NEW]);
    expect(where.note([of(NEW)])).toEqual([]);
  });
});

describe("a server that answers well", () => {
  const here = (region: string, at: number): Told["series"][number] => ({
    placed: { kind: "here", place: { region, release: "unknown", side: "unknown" } },
    at,
  });
  const told = (more: Partial<Told>): Told => ({
    name: "Prometheus at p:9090",
    query: "orders_total{}[30s]",
    regions: ["tokyo", "osaka"],
    staleAfterMs: 30_000,
    clock: 100_000,
    series: [here("tokyo", 99_000), here("osaka", 99_000)],
    missed: [],
    unplaced: undefined,
    ...more,
  });

  test("sees, if every region has a fresh sample", () => {
    expect(unseenIn(told({}))).toBeUndefined();
    expect(unseenIn(told({ series: [here("osaka", 1), ...told({}).series] }))).toBeUndefined();
  });

  test.each<{ name: string; more: Partial<Told>; regions: readonly string[]; why: RegExp }>([
    {
      name: "no sample of a region",
      more: { series: [here("tokyo", 99_000)] },
      regions: ["osaka"],
      why: /has no sample of osaka for orders_total\{\}\[30s\]$/,
    },
    {
      name: "old samples alone of a region",
      more: { series: [here("tokyo", 99_000), here("osaka", 69_999)] },
      regions: ["osaka"],
      why: /no sample of osaka that is younger than 30 s$/,
    },
    {
      name: "no sample of an instance that serves users",
      more: { missed: [OLD] },
      regions: ["tokyo"],
      why: /no sample of gw-1 that is younger than 30 s$/,
    },
    {
      name: "no sample of many",
      more: { missed: [1, 2, 3, 4, 5].map((number) => instance(`gw-${number}`, "old")) },
      regions: ["tokyo"],
      why: /no sample of gw-1, gw-2, gw-3 and 2 more that is younger/,
    },
    {
      name: "operations of nowhere",
      more: { unplaced: { operation: "order", pod: "x" } },
      regions: ["tokyo", "osaka"],
      why: /counts operations that are of no region, such as \{operation="order", pod="x"\}$/,
    },
  ])("with $name does not see, and says where and why", ({ more, regions, why }) => {
    const unseen = unseenIn(told(more));
    expect(unseen?.regions).toEqual(regions);
    expect(unseen?.why).toMatch(why);
  });
});
