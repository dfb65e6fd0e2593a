import type { Environment, Operation, ProbeTarget } from "./model.ts";

/** What users of a venue do. */
export const VENUE_OPERATIONS = ["order", "amend", "cancel"] as const satisfies readonly Operation[];
export type OrderOperation = (typeof VENUE_OPERATIONS)[number];

/** The operations that a probe tries. */
export const operationsOf = (probe: ProbeTarget): readonly Operation[] =>
  probe.kind === "okx" ? VENUE_OPERATIONS : probe.operations.map(({ name }) => name);

/** Those that every probe of the environment tries; a venue's where nobody probes. */
export const operationsIn = (environment: Pick<Environment, "regions">): readonly Operation[] => {
  const [first, ...others] = offersIn(environment).map(({ offered }) => offered);
  return first?.filter((operation) => others.every((known) => known.includes(operation))) ?? VENUE_OPERATIONS;
};

/** Regions whose probe does not try an operation, with what it does try. */
export const regionsWithout = (environment: Environment, operation: Operation): readonly Offer[] =>
  offersIn(environment).filter(({ offered }) => !offered.includes(operation));

/** What the probe of a region tries. */
type Offer = { readonly region: string; readonly offered: readonly Operation[] };

/** Of every region that has a probe. */
export const offersIn = ({ regions }: Pick<Environment, "regions">): readonly Offer[] =>
  Object.entries(regions).flatMap(([region, { probe }]) =>
    probe === undefined ? [] : [{ region, offered: operationsOf(probe) }],
  );
