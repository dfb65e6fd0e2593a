import type { Figure, Table } from "../bench.ts";

/** One group of figures. */
export type Part = { readonly figures: readonly Figure[]; readonly tables: readonly Table[]; readonly raw: unknown };
