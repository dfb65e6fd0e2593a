/** Whether a live source sees users' operations in these regions. `why`: a sentence that says what keeps it from that; it changes only when the matter does. */
export type Sight = {
  readonly kind: "sight";
  readonly at: number;
  /** Which source, by its name in this run. */
  readonly source: string;
  readonly regions: readonly string[];
  readonly why?: string;
};

/** Sources that see nothing now. */
export type Blind = Readonly<Record<string, { readonly regions: readonly string[]; readonly why: string }>>;

export const foldSight = (blind: Blind, { source, regions, why }: Sight): Blind => {
  const { [source]: _known, ...others } = blind;
  return why === undefined ? others : { ...others, [source]: { regions, why } };
};
