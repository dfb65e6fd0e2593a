import type { Route, Routes } from "../context.ts";
import { askEngine } from "../engine-link.ts";
import { ok, refused } from "../envelope.ts";
import { isFields, textOf } from "../../fields.ts";
import { DEAD_MAN } from "../limits.ts";

const cancelAllAfter: Route = {
  kind: "signed",
  answer: async ({ body, account }, context) => {
    if (!isFields(body)) return refused("50000");
    const [timeOut, tag] = [textOf(body, "timeOut"), textOf(body, "tag")];
    const timeOutSec = Number(timeOut);
    if (timeOut === "" || !(timeOutSec === 0 || (timeOutSec >= 10 && timeOutSec <= 120)))
      return refused("51000", "timeOut");
    if (!context.limits.take(`${account.uid} cancel-all-after ${tag}`, DEAD_MAN, 1)) return refused("50011");
    const asked = await askEngine(context.engine, { op: "cancel-all-after", uid: account.uid, timeOutSec, tag });
    if (asked.kind === "not-sent") return refused("50001");
    // The timer may or may not run: the client has to beat again.
    if (asked.kind === "unknown") return refused("51149");
    if (asked.reply.code !== "0") return refused(asked.reply.code);
    const triggerTime = String(asked.reply.triggerTime ?? 0);
    return ok([{ triggerTime, tag, ts: String(context.now()) }]);
  },
};

/** The dead-man switch: cancels everything unless the client repeats it in time. */
export const CANCEL_ALL_AFTER: Routes = { "POST /api/v5/trade/cancel-all-after": cancelAllAfter };
