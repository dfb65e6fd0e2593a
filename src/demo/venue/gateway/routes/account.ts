import { balanceView } from "../balance-view.ts";
import type { Route, Routes } from "../context.ts";
import { parseDecimal } from "../decimal.ts";
import { askEngine } from "../engine-link.ts";
import { ok, refused } from "../envelope.ts";
import { isFields, textOf } from "../../fields.ts";
import { codeOfAbsent } from "../metadata.ts";

const balance: Route = {
  kind: "signed",
  answer: async ({ query, account }, context) => {
    const asked = await askEngine(context.engine, { op: "balance", uid: account.uid });
    if (asked.kind !== "reply") return refused("50001");
    if (asked.reply.code !== "0") return refused(asked.reply.code);
    const wanted = (query.get("ccy") ?? "").split(",").filter((ccy) => ccy !== "");
    const balances = (asked.reply.balances ?? []).filter(({ ccy }) => wanted.length === 0 || wanted.includes(ccy));
    return ok([balanceView(balances, String(context.now()))]);
  },
};

const leverage: Route = {
  kind: "signed",
  answer: async ({ query, account }, { metadata }) => {
    const mgnMode = query.get("mgnMode") ?? "";
    if (mgnMode === "") return refused("50014", "mgnMode");
    const lever = await metadata.leverage(account.uid);
    if (lever.kind !== "found") return refused(codeOfAbsent(lever));
    return ok([
      { instId: query.get("instId") ?? "", ccy: query.get("ccy") ?? "", mgnMode, posSide: "net", lever: lever.value },
    ]);
  },
};

const MAX_LEVERAGE = 125n * 10n ** 18n;

const setLeverage: Route = {
  kind: "signed",
  answer: async ({ body, account }, { metadata }) => {
    if (!isFields(body)) return refused("50000");
    const [lever, mgnMode] = [textOf(body, "lever"), textOf(body, "mgnMode")];
    const value = parseDecimal(lever);
    if (value === undefined || value === 0n || value > MAX_LEVERAGE) return refused("51000", "lever");
    if (mgnMode !== "cross" && mgnMode !== "isolated") return refused("51000", "mgnMode");
    const stored = await metadata.setLeverage(account.uid, lever);
    if (stored.kind !== "found") return refused(codeOfAbsent(stored));
    return ok([
      { instId: textOf(body, "instId"), lever: stored.value, mgnMode, posSide: textOf(body, "posSide") || "net" },
    ]);
  },
};

/** Balance, and the settings that users write into the metadata store. */
export const ACCOUNT: Routes = {
  "GET /api/v5/account/balance": balance,
  "GET /api/v5/account/leverage-info": leverage,
  "POST /api/v5/account/set-leverage": setLeverage,
};
