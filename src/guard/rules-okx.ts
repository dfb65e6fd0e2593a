import { SHIPPED_RULES } from "../plan/outcome-class.ts";
import { tableOf, type Rules } from "./rules.ts";

/** Classes of the OKX V5 codes. A code decides by itself; its text never does: an outage can hide behind the words of a planned upgrade. */
export const OKX_V5: Rules = {
  name: SHIPPED_RULES,
  code: [["data", 0, "sCode"], ["code"]],
  codes: tableOf([
    ["0", "ok"],
    ["50001 50005 50013 50026 50046 50062 50064 51739 52923 30030 30037 63999 64007", "service"],
    ["50004 51054 51149 51412 52912 30044", "ambiguous"],
    ["51290 54071 54012 51110 51124 51196 51197 51404 51508 51021 51022 51028-51030 30038", "maintenance"],
    ["50011 50061 50040 51113 60014 60023", "rate"],
    ["50101-50114 50100 50119 50120 50030 60004-60007 60009 60024 60032", "auth"],
    ["50000 50002 50006 50014-50016 50024 50025 51000 51111", "business"],
    ["50036 50037 51001 51400 51503 51603 51016 51008 51131 51502 51119", "business"],
    ["51006 51020 51121 51137 51138 51201-51203 51410 51513", "business"],
    ["50007-50009 50012 50027-50029 51009 51024", "business"],
    ["60011-60013 60018 60019 60027 60028 60033", "business"],
    ["64008", "planned"],
    // The envelope says that operations failed, and the row that would say why is missing.
    ["1 2", "ambiguous"],
  ]),
  status: tableOf([
    ["401 403", "auth"],
    ["429", "rate"],
    ["502 504", "ambiguous"],
    ["503", "service"],
  ]),
  transport: { refused: "service", cut: "ambiguous", timeout: "ambiguous" },
  failing: { prefix: "50", length: 5 },
  lostState: ["51001", "51400", "51503", "51603"],
  answers: "json",
};
