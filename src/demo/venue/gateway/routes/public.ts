import type { Route, Routes } from "../context.ts";
import { ok, refused } from "../envelope.ts";
import { codeOfAbsent } from "../metadata.ts";
import type { Instrument } from "../metadata.ts";

const time: Route = { kind: "public", answer: (_call, { now }) => ok([{ ts: String(now()) }]) };

const instruments: Route = {
  kind: "public",
  answer: async ({ query }, { metadata }) => {
    const [instType, instId] = [query.get("instType") ?? "", query.get("instId") ?? ""];
    if (instType === "") return refused("50014", "instType");
    const found = await metadata.instruments();
    if (found.kind !== "found") return refused(codeOfAbsent(found));
    const rows = found.value.filter((each) => each.instType === instType && (instId === "" || each.instId === instId));
    return instId !== "" && rows.length === 0 ? refused("51001") : ok(rows.map(instrumentView));
  },
};

/** What everybody may read: the venue's clock and its instruments. */
export const PUBLIC: Routes = { "GET /api/v5/public/time": time, "GET /api/v5/public/instruments": instruments };

const instrumentView = (each: Instrument): Readonly<Record<string, unknown>> => ({
  ...UNUSED,
  instType: each.instType,
  instId: each.instId,
  instIdCode: each.instIdCode,
  baseCcy: each.baseCcy,
  quoteCcy: each.quoteCcy,
  tickSz: each.tickSz,
  lotSz: each.lotSz,
  minSz: each.minSz,
  maxLmtSz: each.maxLmtSz,
  maxMktSz: each.maxLmtSz,
  state: each.state,
  tradeQuoteCcyList: [each.quoteCcy],
});

const UNUSED = {
  alias: "",
  auctionEndTime: "",
  contTdSwTime: "",
  ctMult: "",
  ctType: "",
  ctVal: "",
  ctValCcy: "",
  expTime: "",
  groupId: "1",
  instCategory: "1",
  instFamily: "",
  lever: "",
  // 1 January 2021: before anything that a client could ask for.
  listTime: "1609459200000",
  openType: "",
  optType: "",
  ruleType: "normal",
  settleCcy: "",
  stk: "",
  uly: "",
  upcChg: [],
} as const;
