import { describe, expect, test } from "vitest";
import {
  unfitIn,
  untakenIn,
  type BackendRef,
  type HttpRoute,
  type RouteRule,
} from "../../../../../src/adapters/kubernetes/route/http-route.ts";
import { weightPatch, WEIGHED, type Weighed } from "../../../../../src/adapters/kubernetes/route/weighed.ts";

const ENTRIES = { own: "gateway", beside: "gateway-beside" };
const metadata = { name: "gateway", namespace: "tokyo", uid: "u", resourceVersion: "7", generation: 3 };
const OWN: BackendRef = { name: "gateway", weight: 1 };
const BESIDE: BackendRef = { name: "gateway-beside", weight: 0 };
const routeOf = (...rules: readonly RouteRule[]): HttpRoute => ({ metadata, spec: { rules } });
const both = (more: Partial<RouteRule> = {}): RouteRule => ({ backendRefs: [OWN, BESIDE], ...more });

describe("a route whose weights can give shares", () => {
  test.each([
    { name: "one rule", route: routeOf(both()) },
    { name: "several rules, also in another order", route: routeOf(both(), { backendRefs: [BESIDE, OWN] }) },
    { name: "a rule about something else", route: routeOf(both(), { backendRefs: [{ name: "docs" }] }) },
    { name: "a weight that is not stated", route: routeOf({ backendRefs: [{ name: "gateway" }, BESIDE] }) },
    { name: "filters that all users meet", route: routeOf(both({ filters: [{ type: "URLRewrite" }] })) },
  ])("has $name", ({ route }) => {
    expect(unfitIn(route, ENTRIES)).toEqual([]);
  });
});

describe("a route is refused", () => {
  test.each([
    { name: "that sends nobody there", rule: { backendRefs: [{ name: "docs" }] }, says: /sends nobody to gateway/ },
    { name: "that names one of the two", rule: { backendRefs: [OWN] }, says: /does not name both gateway and/ },
    { name: "that names one twice", rule: { backendRefs: [OWN, OWN, BESIDE] }, says: /each once/ },
    { name: "with a third backend", rule: both({ backendRefs: [OWN, BESIDE, { name: "x" }] }), says: /to x too/ },
    {
      name: "with one of another namespace",
      rule: { backendRefs: [OWN, { ...BESIDE, namespace: "frankfurt" }] },
      says: /to gateway-beside too/,
    },
    { name: "with one that is no Service", rule: { backendRefs: [OWN, { ...BESIDE, kind: "X" }] }, says: /too/ },
    {
      name: "that gives the second one users already",
      rule: { backendRefs: [OWN, { name: "gateway-beside" }] },
      says: /gives gateway-beside the weight 1 while no upgrade runs: it must be 0/,
    },
    {
      name: "that gives the first one none",
      rule: { backendRefs: [{ ...OWN, weight: 0 }, BESIDE] },
      says: /gives gateway the weight 0/,
    },
    { name: "that redirects", rule: both({ filters: [{ type: "RequestRedirect" }] }), says: /redirects everybody/ },
    { name: "that keeps users at a backend", rule: both({ sessionPersistence: {} }), says: /sessionPersistence/ },
    {
      name: "that treats the two differently",
      rule: { backendRefs: [OWN, { ...BESIDE, filters: [{}] }] },
      says: /has other filters for gateway than/,
    },
  ])("$name", ({ rule, says }) => {
    expect(unfitIn(routeOf(both(), rule), ENTRIES).join("; ") || unfitIn(routeOf(rule), ENTRIES).join("; ")).toMatch(
      says,
    );
  });
});

describe("whether a gateway has read a route", () => {
  const parent = (observedGeneration: number, status = "True") => ({
    parentRef: { name: "edge" },
    controllerName: "a.example/b",
    conditions: ["Accepted", "ResolvedRefs"].map((type) => ({ type, status, observedGeneration, reason: "Why" })),
  });
  test.each([
    { name: "is told by nobody", parents: [], says: "no gateway has taken httproute gateway", isRefused: false },
    {
      name: "is told of the generation before",
      parents: [parent(3), parent(2)],
      says: "gateway edge (a.example/b) has read generation 2 of httproute gateway, which is at 3",
      isRefused: false,
    },
    {
      name: "and refused it",
      parents: [parent(3, "False")],
      says: "gateway edge (a.example/b) says of httproute gateway: Accepted is False, Why",
      isRefused: true,
    },
  ])("$name", ({ parents, says, isRefused }) => {
    expect(untakenIn({ ...routeOf(both()), status: { parents } })).toEqual({ text: says, isRefused });
  });
  test("as it is", () => {
    expect(untakenIn({ ...routeOf(both()), status: { parents: [parent(3)] } })).toBeUndefined();
  });
});

describe("weights are written", () => {
  const was = [[{ name: "docs" }], [{ name: "gateway" }, { name: "gateway-beside", weight: 0 }]];
  const route = routeOf({ backendRefs: [{ name: "docs" }] }, { backendRefs: [{ name: "gateway" }, BESIDE] });
  const weighed: Weighed = { format: 1, was, now: { own: 300, beside: 15 }, pcts: {}, fence: { epoch: 1, seq: 1 } };
  const paths = (ops: readonly { readonly op: string; readonly path: string }[]) =>
    ops.map(({ op, path }) => `${op} ${path}`);

  test("in one patch with their record, which is refused when anybody wrote meanwhile, and into no other rule", () => {
    expect(paths(weightPatch(route, ENTRIES, { weighed, was }))).toEqual([
      "replace /metadata/resourceVersion",
      "add /metadata/annotations",
      "add /metadata/annotations/midflight.dev~1weighed",
      "add /spec/rules/1/backendRefs/0/weight",
      "add /spec/rules/1/backendRefs/1/weight",
    ]);
  });

  test("and put back as they were, also where none was stated", () => {
    const held: HttpRoute = {
      ...routeOf(
        { backendRefs: [{ name: "docs" }] },
        {
          backendRefs: [
            { name: "gateway", weight: 300 },
            { ...BESIDE, weight: 15 },
          ],
        },
      ),
      metadata: { ...metadata, annotations: { [WEIGHED]: JSON.stringify(weighed) } },
    };
    expect(weightPatch(held, ENTRIES, { weighed: undefined, was }).slice(1)).toEqual([
      { op: "remove", path: "/metadata/annotations/midflight.dev~1weighed" },
      { op: "remove", path: "/spec/rules/1/backendRefs/0/weight" },
      { op: "add", path: "/spec/rules/1/backendRefs/1/weight", value: 0 },
    ]);
  });
});
