/**
 * What an answer of the venue means. F service failure, A ambiguous (executed or not is unknown), M maintenance phase,
 * R rate limit, U authentication and client configuration, B refused on its merits while the service is healthy.
 */
export type AnswerClass = "ok" | "F" | "A" | "M" | "R" | "U" | "B";

/** OKX V5 codes by class. `F?` counts as F, but its order may have been executed and must be asked for. */
type CodeClass = AnswerClass | "F?";

const CODES: readonly (readonly [CodeClass, string])[] = [
  ["ok", "0"],
  ["F", "50001 50005 50013 50046 50062 50064 51739 52923 51290 63999 64007 30030 30038 30037"],
  ["F?", "50026"],
  ["A", "50004 51054 51149 51412 52912 30044"],
  ["M", "54071 54012 51110 51124 51196 51197 51404 51508 51021 51022 51028 51029 51030"],
  ["R", "50011 50061 50040 51113 60014 60023"],
  ["U", "50100 50119 50120 50030 60004 60005 60006 60007 60009 60024 60032"],
  [
    "B",
    "50000 50002 50006 50014 50015 50016 50024 50025 51000 51111 50036 50037 51001 51400 51503 51603 51016 51008 51131 51502 51119 " +
      "51006 51020 51121 51137 51138 51201 51202 51203 51410 51513 50007 50008 50009 50012 50027 50028 50029 51009 51024 " +
      "60011 60012 60013 60018 60019 60027 60028 60033",
  ],
];

const BY_CODE: ReadonlyMap<string, CodeClass> = new Map(
  CODES.flatMap(([kind, codes]) => codes.split(" ").map((code): readonly [string, CodeClass] => [code, kind])),
);

/** The class of a row's `sCode`, or of the envelope's `code` where there is no row. */
export const classOfCode = (code: string): { readonly kind: AnswerClass; readonly mayHaveLanded: boolean } => {
  const known = BY_CODE.get(code) ?? guessed(code);
  return known === "F?" ? { kind: "F", mayHaveLanded: true } : { kind: known, mayHaveLanded: known === "A" };
};

/** The class of an answer that is no OKX answer: a proxy spoke, not the venue. */
export const classOfStatus = (http: number): { readonly kind: AnswerClass; readonly mayHaveLanded: boolean } =>
  http === 502 || http === 504 ? { kind: "A", mayHaveLanded: true } : { kind: "F", mayHaveLanded: false };

// The facts don't place these codes: 501xx are credentials, 51xxx and 54xxx refusals of an order, all else is the service.
const guessed = (code: string): CodeClass => {
  if (/^501\d\d$/.test(code)) return "U";
  return /^5[14]\d{3}$/.test(code) ? "B" : "F?";
};
