import type { EngineReply } from "../engine/protocol.ts";
import { formatDecimal, parseDecimal } from "./decimal.ts";

/** A balance as the OKX V5 API shows it, in the REST answer and on the `account` channel alike. */
export const balanceView = (
  balances: NonNullable<EngineReply["balances"]>,
  uTime: string,
): Readonly<Record<string, unknown>> => ({
  ...UNUSED_TOTALS,
  uTime,
  details: balances.map(({ ccy, available, frozen }) => {
    const cashBal = formatDecimal((parseDecimal(available) ?? 0n) + (parseDecimal(frozen) ?? 0n));
    return {
      ...UNUSED_DETAILS,
      ccy,
      cashBal,
      eq: cashBal,
      availBal: available,
      availEq: available,
      frozenBal: frozen,
      ordFrozen: frozen,
      uTime,
    };
  }),
});

const UNUSED_TOTALS = {
  totalEq: "",
  adjEq: "",
  availEq: "",
  imr: "",
  isoEq: "0",
  mgnRatio: "",
  mmr: "",
  notionalUsd: "",
  ordFroz: "",
  upl: "",
} as const;

const UNUSED_DETAILS = {
  crossLiab: "",
  disEq: "",
  eqUsd: "",
  imr: "",
  interest: "",
  isoEq: "0",
  isoLiab: "",
  liab: "",
  maxLoan: "",
  mgnRatio: "",
  mmr: "",
  notionalLever: "0",
  upl: "0",
} as const;
