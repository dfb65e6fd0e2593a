import type { ClassRules, CodesByClass } from "../model.ts";
import { SHIPPED_RULES, type OutcomeClass } from "../outcome-class.ts";
import { isWithin, parseRuleCodes, sharedCode, type RuleCodes } from "../rule-codes.ts";
import type { Complaint, Path } from "../source/source.ts";
import type { EnvironmentRule } from "./rule.ts";

/** Each code has one class, each row can match, and something is ok: otherwise the guard would read answers by chance. */
export const classRulesHold: EnvironmentRule = (environment) =>
  Object.entries(environment.rules).flatMap(([name, rules]) => {
    const path = ["rules", name];
    return [
      ...shipped(name, path),
      ...rowsHold(rules.codes, [...path, "codes"]),
      ...rowsHold(rules.status, [...path, "status"]),
      ...lostState(rules, path),
      ...somethingIsOk(name, rules, path),
    ];
  });

type Row = { readonly outcome: OutcomeClass; readonly text: string; readonly codes: RuleCodes; readonly path: Path };

const shipped = (name: string, path: Path): readonly Complaint[] =>
  name !== SHIPPED_RULES
    ? []
    : [
        {
          code: "NAME_REPEATED",
          message: `${SHIPPED_RULES} is the table that ships`,
          path,
          at: "key",
          hint: `give yours another name, and let it say \`extends: ${SHIPPED_RULES}\``,
        },
      ];

function rowsHold(classes: CodesByClass, path: Path): readonly Complaint[] {
  const parsed = rowsOf(classes, path);
  const rows = parsed.flatMap((row) => (row.codes.kind === "never" ? [] : [{ ...row, codes: row.codes }]));
  return [
    ...parsed.flatMap(({ codes, text, path: at }) =>
      codes.kind === "never" ? [never(at, `"${text}" can never match: ${codes.why}`, "mend it, or leave it out")] : [],
    ),
    ...clashes(rows),
  ];
}

const rowsOf = (classes: CodesByClass, path: Path) =>
  (Object.entries(classes) as [OutcomeClass, readonly string[]][]).flatMap(([outcome, items]) =>
    items.map((text, index) => ({ outcome, text, codes: parseRuleCodes(text), path: [...path, outcome, index] })),
  );

/** Of two rows that meet, the narrower one is told of, or the later one where they are alike. Ranges are few; codes are found by their text. */
function clashes(rows: readonly Row[]): readonly Complaint[] {
  const seen = new Map<string, Row>();
  const ranges: Row[] = [];
  return rows.flatMap((row) => {
    const others =
      row.codes.kind === "code" ? [...ranges, ...known(seen, row.codes.code)] : [...ranges, ...seen.values()];
    const found = others.map((other) => clash(other, row)).find((complaint) => complaint !== undefined);
    if (row.codes.kind === "range") ranges.push(row);
    else if (!seen.has(row.codes.code)) seen.set(row.codes.code, row);
    return found === undefined ? [] : [found];
  });
}

const known = (seen: ReadonlyMap<string, Row>, code: string): readonly Row[] => {
  const row = seen.get(code);
  return row === undefined ? [] : [row];
};

function clash(earlier: Row, later: Row): Complaint | undefined {
  const shared = sharedCode(earlier.codes, later.codes);
  if (shared === undefined) return undefined;
  const isEarlierInside = isWithin(earlier.codes, later.codes) && !isWithin(later.codes, earlier.codes);
  const [inner, outer] = isEarlierInside ? [earlier, later] : [later, earlier];
  if (inner.outcome !== outer.outcome)
    return {
      code: "RULES_CONTRADICT",
      message: `${shared} is ${inner.outcome} here, and ${outer.outcome} by ${outer.codes.kind === "range" ? `the range ${outer.text}` : `"${outer.text}"`}`,
      path: inner.path,
      hint: "leave it out of one of the two: a code has one class",
    };
  return isWithin(inner.codes, outer.codes)
    ? never(inner.path, `"${inner.text}" can never match: ${outer.text} has it already`, "leave it out")
    : undefined;
}

const never = (path: Path, message: string, hint: string): Complaint => ({
  code: "RULE_UNREACHABLE",
  message,
  path,
  hint,
});

/** A code of lost state that is no refusal would never be looked up. */
const lostState = (rules: ClassRules, path: Path): readonly Complaint[] =>
  (rules.lostState ?? []).flatMap((text, index) => {
    const at = [...path, "lostState", index];
    const codes = parseRuleCodes(text);
    if (codes.kind !== "code")
      return [never(at, `"${text}" can never match: codes of lost state stand one by one`, "name each of them")];
    const row = rowsOf(rules.codes, path).find((one) => one.codes.kind !== "never" && isWithin(codes, one.codes));
    return row === undefined || REFUSALS.has(row.outcome)
      ? []
      : [
          never(
            at,
            `${text} is ${row.outcome}, and only what is refused can say that state was lost`,
            "make it business",
          ),
        ];
  });

const REFUSALS: ReadonlySet<OutcomeClass> = new Set(["business", "rate", "auth"]);

const somethingIsOk = (name: string, rules: ClassRules, path: Path): readonly Complaint[] =>
  rules.extends !== undefined || rules.codes.ok !== undefined || rules.status.ok !== undefined
    ? []
    : [
        {
          code: "RULES_WITHOUT_OK",
          message: `by the rules ${name} nothing is ever ok`,
          path,
          at: "key",
          hint: 'add the codes or statuses of success: `codes: { ok: ["0"] }` or `status: { ok: [200-299] }`',
        },
      ];
