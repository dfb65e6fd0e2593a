import type { Outcome } from "../engine/run.ts";
import type { Graph } from "../graph/graph.ts";
import { touches, type Move } from "../graph/move.ts";
import type { DrillKind } from "./drill.ts";

/** A run of the plan in demo, with something done to it on the way. */
export type WalkOrder = {
  readonly name: string;
  readonly step: string;
  readonly kind: Extract<DrillKind, "undo" | "fault" | "backup" | "walk">;
  /** None: the plan is left alone. */
  readonly strikes: readonly Strike[];
  /** How the run must end. */
  readonly ends: readonly Outcome[];
  /** New instances are watched in the dark. */
  readonly isWatched?: true;
  /** Demo keeps what it brings: it soaks as long as the plan says. Others take everything back, and hurry. */
  readonly isKept?: true;
};

export type Strike = {
  readonly when: "started" | "done";
  readonly move: string;
  readonly acts: readonly Act[];
};

export type Act =
  /** The guard says that the change fails its users. */
  | { readonly kind: "accuse"; readonly reason: string }
  /** A person asks for the undo. */
  | { readonly kind: "turn-back" }
  /** The last of these migrations gets a statement that fails. */
  | { readonly kind: "break-migration"; readonly component: string; readonly name: string }
  /** The store refuses to take back what this migration did. */
  | { readonly kind: "break-undo"; readonly component: string; readonly name: string }
  /** Somebody reads every table of the store and does not end its transaction. */
  | { readonly kind: "hold-store"; readonly component: string; readonly ms: number }
  /** New instances are killed where they stand. */
  | { readonly kind: "kill-new"; readonly component: string; readonly regions: readonly string[] }
  /** Every instance of a region is killed, and comes back after a while; then the run goes on, or a person asks for the undo. */
  | {
      readonly kind: "kill-region";
      readonly component: string;
      readonly region: string;
      readonly awayMs: number;
      readonly afterwards: "go-on" | "turn-back";
    }
  /** The conductor is killed; another one takes everything back. */
  | { readonly kind: "kill-conductor" }
  | { readonly kind: "break-program" };

/** How long a reader holds its locks, and how long a server stays away, ms. */
const HOLD_MS = 2_000;
const AWAY_MS = 4_000;

/**
 * Every step taken back, and a fault at every step: what is walked in demo before the plan is walked as a whole.
 * Each drill starts from the before-state and ends in it.
 */
export function drillsOf(graph: Graph): readonly WalkOrder[] {
  const covered = new Set(coveredUndos(graph).map(({ step }) => step));
  const groups = groupsOf(graph.moves);
  const deaths = serverDeaths(graph);
  const broken = new Set(deaths.map((order) => brokenIn(order)));
  return groups.flatMap((group) => [
    ...drillsOfGroup(graph, group).filter(
      (order) => !(order.kind === "undo" && covered.has(order.step)) && !isRepeated(order, broken),
    ),
    ...deaths.filter(({ step }) => group.some(({ id }) => id === step)),
  ]);
}

/** The migration that an order breaks. */
const brokenIn = ({ strikes }: WalkOrder): string | undefined =>
  strikes.find(({ acts }) => acts.some(({ kind }) => kind === "break-migration"))?.move;

/** What another drill breaks in the same way, on a longer way to it. */
const isRepeated = (order: WalkOrder, broken: ReadonlySet<string | undefined>): boolean => {
  const migration = brokenIn(order);
  return migration !== undefined && broken.has(migration);
};

/**
 * Past each point of no return the guard accuses: the engine itself runs the backup plan, and forward is the cure. Demo keeps what these bring,
 * so they come after every drill that starts from the before-state, and what is left of the plan is walked after them.
 */
export const pastReturnOf = (graph: Graph): readonly WalkOrder[] =>
  graph.moves.flatMap((move) =>
    move.kind === "migrate" && move.irreversible && move.backup !== undefined
      ? [
          {
            name: `backup plan ${move.backup}: users fail after ${move.title}`,
            step: move.id,
            kind: "backup",
            strikes: [{ when: "done", move: move.id, acts: [accusation(move)] }],
            isWatched: true,
            isKept: true,
            ends: ["backed-up"],
          },
        ]
      : [],
  );

/** The walk itself: nothing is done to it, and demo keeps what it brings. After a point of no return it is what is left of the plan. */
export const wholeWalk: WalkOrder = {
  name: "the whole plan",
  step: "plan",
  kind: "walk",
  strikes: [],
  isWatched: true,
  isKept: true,
  ends: ["promoted", "unchanged"],
};

type Undrilled = { readonly step: string; readonly why: string };

/** Steps that nothing is drilled at, with the reason. */
export const undrilled = (graph: Graph): readonly Undrilled[] => [...changeless(graph), ...coveredUndos(graph)];

/** The end of a wave that a drill of the next change starts from: it takes everything back from there, and a drill of its own would show no more. */
function coveredUndos(graph: Graph): readonly Undrilled[] {
  const groups = groupsOf(graph.moves.filter((move) => touches(move)));
  return groups.flatMap((group, index) => {
    const last = lastOfRoll(group);
    const why = coverOf(groups[index + 1] ?? []);
    return last === undefined || why === undefined ? [] : [{ step: last.id, why }];
  });
}

/** One migration that fails half-way leaves nothing; a conductor that is killed before an admission leaves instances in the dark. */
function coverOf(next: readonly Move[]): string | undefined {
  const [first] = next;
  if (isSingle(first)) return `the drill in which this fails half-way takes it back: ${first.title}`;
  const admit = next.find((move) => move.kind === "admit");
  return admit === undefined ? undefined : `the drill in which the conductor is killed takes it back: ${admit.title}`;
}

const changeless = (graph: Graph): readonly Undrilled[] =>
  graph.moves.flatMap((move) => {
    if (move.kind === "soak" || move.kind === "verify" || move.kind === "approve")
      return [{ step: move.id, why: "it changes nothing; taking it back is taking back the step before it" }];
    return move.kind === "migrate" && move.irreversible
      ? [{ step: move.id, why: "it cannot be taken back; users fail after it, and its backup plan runs" }]
      : [];
  });

/** The moves of one step; of a roll, those of one wave. */
function groupsOf(moves: readonly Move[]): readonly (readonly Move[])[] {
  const keyOf = (move: Move): string => /^.*\/wave-\d+/.exec(move.id)?.[0] ?? `step ${move.step}`;
  return [...Map.groupBy(moves, keyOf).values()];
}

function drillsOfGroup(graph: Graph, group: readonly Move[]): readonly WalkOrder[] {
  const [first] = group;
  switch (first?.kind) {
    case "migrate":
      return migrateDrills(first, graph);
    case "start":
    case "retire":
    case "admit":
      return rollDrills(group);
    case "shift":
      return [takenBack(first, [{ kind: "turn-back" }])];
    case "run":
      return [
        takenBack(first, [{ kind: "turn-back" }]),
        fault(first, "the program fails", { when: "started", move: first.id, acts: [{ kind: "break-program" }] }),
      ];
    case undefined:
    case "prove":
    case "soak":
    case "verify":
    case "approve":
      return [];
  }
}

function migrateDrills(move: Migrate, graph: Graph): readonly WalkOrder[] {
  const fails: readonly WalkOrder[] =
    move.names.length === 0
      ? []
      : [
          {
            ...fault(move, "the migration fails half-way", breaking(move)),
            ends: graph.moves[0]?.id === move.id ? ["undone", "refused"] : ["undone"],
          },
        ];
  if (move.irreversible) return fails;
  return [
    takenBack(move, [accusation(move)]),
    ...fails,
    // It has to land all the same, and is taken back after that.
    fault(
      move,
      "the store is slow: a reader holds every table",
      { when: "started", move: move.id, acts: [{ kind: "hold-store", component: move.component, ms: HOLD_MS }] },
      { when: "done", move: move.id, acts: [accusation(move)] },
    ),
    fault(move, "the conductor is killed", { when: "started", move: move.id, acts: [{ kind: "kill-conductor" }] }),
    ...undoFails(move),
  ];
}

/** The engine itself runs the backup plan that the step names for this day. */
function undoFails(move: Migrate): readonly WalkOrder[] {
  const name = move.names.at(-1);
  if (move.backup === undefined || name === undefined) return [];
  return [
    {
      name: `backup plan ${move.backup}: the undo of ${move.title} fails`,
      step: move.id,
      kind: "backup",
      strikes: [
        { when: "done", move: move.id, acts: [accusation(move)] },
        { when: "done", move: move.id, acts: [{ kind: "break-undo", component: move.component, name }] },
      ],
      ends: ["backed-up"],
    },
  ];
}

function rollDrills(group: readonly Move[]): readonly WalkOrder[] {
  const last = lastOfRoll(group);
  const admit = group.find((move) => move.kind === "admit");
  if (last === undefined || admit?.kind !== "admit") return [];
  const { component, regions } = admit;
  return [
    takenBack(last, [{ kind: "turn-back" }]),
    fault(admit, "the new release dies", {
      when: "done",
      move: admit.id,
      acts: [{ kind: "kill-new", component, regions }],
    }),
    fault(admit, "the conductor is killed", { when: "started", move: admit.id, acts: [{ kind: "kill-conductor" }] }),
  ];
}

/**
 * One run for all waves of a roll: in each, the servers die and come back, and the run holds and goes on. What ends it is the failure of the
 * migration that comes next, which it has to reach all the same; where none does, a person takes it back after the last wave.
 */
function serverDeaths(graph: Graph): readonly WalkOrder[] {
  const groups = groupsOf(graph.moves.filter((move) => touches(move)));
  return groups.flatMap((group, index) => {
    const last = admitOf(group);
    const [next] = groups[index + 1] ?? [];
    if (last === undefined || admitOf(groups[index + 1] ?? [])?.step === last.step) return [];
    const deaths = groups.flatMap((one) => {
      const admit = admitOf(one);
      return admit === undefined || admit.step !== last.step ? [] : [deathOf(admit, admit === last && !isSingle(next))];
    });
    const places = deaths.map(({ region }) => region).join(", then of ");
    const strikes = deaths.map(({ strike }) => strike);
    return isSingle(next)
      ? [fault(next, `the servers of ${places} die, then the migration fails half-way`, ...strikes, breaking(next))]
      : [fault(last, `the servers of ${places} die`, ...strikes)];
  });
}

type Admit = Extract<Move, { readonly kind: "admit" }>;
type Migrate = Extract<Move, { readonly kind: "migrate" }>;

const admitOf = (group: readonly Move[]): Admit | undefined => group.find((move) => move.kind === "admit");
/** One migration in one transaction: when it fails, nothing is left of it. */
const isSingle = (move: Move | undefined): move is Migrate => move?.kind === "migrate" && move.names.length === 1;

function deathOf({ id, component, regions: [region = ""] }: Admit, isTheEnd: boolean) {
  const afterwards = isTheEnd ? ("turn-back" as const) : ("go-on" as const);
  const strike: Strike = {
    when: "done",
    move: id,
    acts: [{ kind: "kill-region", component, region, awayMs: AWAY_MS, afterwards }],
  };
  return { region, strike };
}

const breaking = ({ id, component, names }: Migrate): Strike => ({
  when: "started",
  move: id,
  acts: [{ kind: "break-migration", component, name: names.at(-1) ?? "" }],
});

const lastOfRoll = (group: readonly Move[]): Move | undefined =>
  group.findLast((move) => move.kind === "retire" || move.kind === "admit");

const takenBack = (move: Move, acts: readonly Act[]): WalkOrder => ({
  name: `taken back after ${move.title}`,
  step: move.id,
  kind: "undo",
  strikes: [{ when: "done", move: move.id, acts }],
  ends: ["undone"],
});

const fault = (move: Move, what: string, ...strikes: readonly Strike[]): WalkOrder => ({
  name: `${what}: ${move.title}`,
  step: move.id,
  kind: "fault",
  strikes,
  ends: ["undone"],
});

const accusation = (move: Move): Act => ({ kind: "accuse", reason: `drill: users fail after ${move.title}` });
