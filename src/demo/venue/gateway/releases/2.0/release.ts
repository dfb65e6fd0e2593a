import type { Release } from "../../release.ts";
import { COMMON_STATEMENTS } from "../../statements.ts";

/** 2.0 reads a price band per instrument, with its own limit in each direction. */
export const RELEASE_2_0: Release = {
  version: "2.0",
  statements: {
    ...COMMON_STATEMENTS,
    instruments: {
      name: "instruments",
      sql:
        "select i.inst_id, i.inst_id_code, i.inst_type, i.base_ccy, i.quote_ccy, i.tick_sz::text as tick_sz, i.lot_sz::text as lot_sz," +
        " i.min_sz::text as min_sz, i.max_limit_sz::text as max_limit_sz, i.state," +
        " b.lower_pct::text as lower_pct, b.upper_pct::text as upper_pct from instruments i join price_bands b on b.inst_id = i.inst_id",
    },
  },
};
