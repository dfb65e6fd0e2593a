import type { Routes } from "../context.ts";
import { ok } from "../envelope.ts";

/** The status feed and the currencies: no maintenance is announced, and there are no deposits, so both lists are empty. */
export const SYSTEM: Routes = {
  "GET /api/v5/system/status": { kind: "public", answer: () => ok([]) },
  "GET /api/v5/asset/currencies": { kind: "signed", answer: () => ok([]) },
};
