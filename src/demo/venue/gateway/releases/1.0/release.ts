import type { Release } from "../../release.ts";
import { COMMON_STATEMENTS } from "../../statements.ts";

/** 1.0 knows one price limit per instrument, the same in both directions. */
export const RELEASE_1_0: Release = {
  version: "1.0",
  statements: {
    ...COMMON_STATEMENTS,
    instruments: {
      name: "instruments",
      sql:
        "select inst_id, inst_id_code, inst_type, base_ccy, quote_ccy, tick_sz::text as tick_sz, lot_sz::text as lot_sz," +
        " min_sz::text as min_sz, max_limit_sz::text as max_limit_sz, state," +
        " max_deviation_pct::text as lower_pct, max_deviation_pct::text as upper_pct from instruments",
    },
  },
};
