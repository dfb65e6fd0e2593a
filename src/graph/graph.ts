import type { BackupAction, Drain, EnvironmentClass, PlanGuard } from "../plan/model.ts";
import type { Move } from "./move.ts";

/** A plan compiled for one environment: what happens, in order, and what each thing is. Plain data, saved with the run. */
export type Graph = {
  readonly midflight: 1;
  readonly plan: string;
  readonly summary?: string;
  readonly environment: string;
  readonly class: EnvironmentClass;
  readonly regions: readonly string[];
  readonly components: Readonly<Record<string, GraphComponent>>;
  readonly moves: readonly Move[];
  readonly guard: PlanGuard;
  readonly backups: Readonly<Record<string, readonly BackupAction[]>>;
  /** sha256 of what the environment's own file says of releases, where it says anything: those to go back to are told there too. */
  readonly releases?: string;
};

export type GraphComponent = WorkloadComponent | MetadataComponent;

export type WorkloadComponent = {
  readonly kind: "workload";
  readonly name: string;
  readonly driver: string;
  readonly regions: readonly string[];
  /** Instances per region that must be there before the run. */
  readonly instances: number;
  readonly target: { readonly release: string; readonly digest: string };
  readonly floorPct: number;
  /** Components that it talks to, where it says so. */
  readonly needs?: readonly string[];
  /** Users' operations do not enter here: what it does to them is seen only behind others, against what was before. */
  readonly isBehind?: true;
  /** A new instance takes the place of an old one: none stands beside it but in the dark, for proof. */
  readonly isInPlace?: true;
  /** To admit instances that are not there brings them: without a proof, none has to come up in the dark first. */
  readonly isBroughtByAdmission?: true;
  /** Users are moved to a full second set of instances: all of them at once, or share by share. */
  readonly isSwitched?: true;
  /** Files that the environment's driver starts, where it starts any: other bytes are another driver. */
  readonly programs?: readonly { readonly name: string; readonly sha256: string }[];
  /** How instances are drained when nothing states otherwise, as in an undo. */
  readonly drain: Drain;
};

export type MetadataComponent = {
  readonly kind: "metadata";
  readonly name: string;
  readonly driver: string;
  /** Every migration of its folder, with the sha256 of up, verify and down. */
  readonly migrations: readonly { readonly name: string; readonly sha256: readonly [string, string, string] }[];
};

export const workloadOf = (graph: Graph, name: string): WorkloadComponent | undefined => {
  const component = graph.components[name];
  return component?.kind === "workload" ? component : undefined;
};
