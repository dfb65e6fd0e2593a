import type { StoreLook, TracedRun } from "../../ports/trials.ts";
import type { Surroundings } from "./judge-answers.ts";

/** What a store is now and was not, in lines for people. Nothing when it is the same again. */
export function differencesOf(before: StoreLook, after: StoreLook): readonly string[] {
  if (before.fingerprint === after.fingerprint) return rowsDiffer(before, after);
  const [was, is] = [linesOf(before), linesOf(after)];
  return [
    ...[...was].filter((line) => !is.has(line)).map((line) => `was: ${line}`),
    ...[...is].filter((line) => !was.has(line)).map((line) => `is: ${line}`),
    ...rowsDiffer(before, after),
  ];
}

const linesOf = ({ objects }: StoreLook): ReadonlySet<string> =>
  new Set(objects.map(({ kind, name, what }) => `${KINDS[kind] ?? kind} ${name} ${what}`.trim()));

const KINDS: Readonly<Record<string, string>> = {
  rel: "relation",
  col: "column",
  con: "constraint",
  idx: "index",
  trg: "trigger",
  pol: "policy",
  fun: "function",
  seq: "sequence",
  acl: "rights on",
};

// Equal catalogues say that the structure is back. A column that is added again has its name and not its data.
function rowsDiffer(before: StoreLook, after: StoreLook): readonly string[] {
  return before.tables.flatMap(({ name, rows, digest }) => {
    const now = after.tables.find((one) => one.name === name);
    if (now === undefined || digest === undefined || now.digest === undefined || now.digest === digest) return [];
    return [
      now.rows === rows ? `${name}: other values in its ${rows} rows` : `${name}: ${rows} rows before, ${now.rows} now`,
    ];
  });
}

/** Relations that came with a migration, as a trace names them. */
export function cameWith(before: StoreLook, after: StoreLook): ReadonlySet<string> {
  const relations = (look: StoreLook): readonly string[] =>
    look.objects.flatMap(({ kind, name }) => (kind === "rel" ? [name.replace(/^public\./, "")] : []));
  const was = new Set(relations(before));
  return new Set(relations(after).filter((name) => !was.has(name)));
}

/** What a migration did to the structure, as far as it explains why a statement breaks. */
export function surroundingsOf(before: StoreLook, after: StoreLook, up: TracedRun): Surroundings {
  const columns = new Set(before.objects.filter(({ kind }) => kind === "col").map(({ name }) => name));
  const security = (look: StoreLook): ReadonlySet<string> =>
    new Set(
      look.objects.filter(({ kind, what }) => kind === "rel" && /^\S+ \S+ t( |$)/.test(what)).map(({ name }) => name),
    );
  const policies = (look: StoreLook): string =>
    look.objects
      .filter(({ kind }) => kind === "pol")
      .map(({ name, what }) => `${name} ${what}`)
      .join("\n");
  const secured = security(before);
  return {
    renames: up.statements.some(({ traits }) => traits.includes("rename")),
    secured: [...security(after)].some((name) => !secured.has(name)) || policies(before) !== policies(after),
    newColumns: after.objects.filter(({ kind, name }) => kind === "col" && !columns.has(name)).map(({ name }) => name),
    changesEnum: up.statements.some(({ traits }) => traits.includes("enum")),
  };
}
