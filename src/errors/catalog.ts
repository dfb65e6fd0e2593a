/** Exit status of the process: what the caller must do now. */
export const EXIT = {
  /** Promoted, or nothing to do. */
  done: 0,
  /** Undone; users are served as before. */
  undone: 1,
  /** `plan --detailed-exitcode`: changes are pending. `parity`: a difference was found. */
  pending: 2,
  badInput: 3,
  /** Stranded: a person is needed. */
  stranded: 4,
  /** Refused, or could not start. */
  refused: 5,
  /** Halted; can be resumed. */
  halted: 6,
  bug: 70,
} as const;

type Entry = {
  readonly exit: number;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retry: boolean;
  /** The page of `midflight explain CODE`. */
  readonly explain: string;
};

/** Every code that a user can meet, in alphabetical order. */
export const CATALOG = {
  BALANCER_UNREACHABLE: {
    exit: EXIT.refused,
    retry: true,
    explain: "The balancer's admin address did not answer, so midflight cannot see or set which instances take traffic. Nothing was changed. Check the address in the environment file and that the balancer runs.",
  },
  FENCED: {
    exit: EXIT.refused,
    retry: false,
    explain: "A newer conductor holds this environment. A write of this one was refused by the target, and it sends nothing more. Look at `midflight status` to see who acts now.",
  },
  JOURNAL_CORRUPT: {
    exit: EXIT.stranded,
    retry: false,
    explain: "The journal of a run is damaged in a way that a torn last write cannot explain. midflight never guesses and never repairs it. The recorded before-state and the backup plan lie beside the journal in plain files and can be used by hand.",
  },
  LEASE_HELD: {
    exit: EXIT.refused,
    retry: true,
    explain: "Another run holds the lease of this environment. One conductor acts at a time. Wait for it to end, or look at it with `midflight status`.",
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof CATALOG;
