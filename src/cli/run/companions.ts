import { messageOf } from "../../errors/message-of.ts";
import type { Run } from "../../engine/run.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { RunEvent } from "../../events/event.ts";
import type { CliIo } from "../io.ts";
import type { Loaded } from "../files/load.ts";
import { wireCompanions, type WiredCompanions } from "../wiring/companions.ts";
import { announcementsOf } from "./announcements.ts";

/** What goes along with a run and decides nothing in it: managers that wait for it, and what is told of it at the objects. */
export type Companions = {
  heed(event: RunEvent): void;
  /**
   * Lets managers go on that waited for this run: when it has ended, or never began. While it can be resumed they wait. Never rejects: it
   * says what could not be done.
   */
  leave(run: Run | undefined): Promise<void>;
};

/** For all that is asked of an API server beside a run. */
const PAUSE_DEADLINE_MS = 20_000;
/** How long the last announcements may take once the run is over. */
const FLUSH_MS = 2_000;

export type CompanionsOrder = {
  readonly io: CliIo;
  readonly loaded: Loaded;
  readonly run: string;
  /** A run that is picked up again goes on without a pause that cannot be had: an undo waits for nobody. */
  readonly isNew: boolean;
};

/** Rejects `MANAGER_NOT_PAUSED`, for a new run. */
export async function accompany({ io, loaded, run, isNew }: CompanionsOrder): Promise<Companions> {
  const wired = await wireCompanions(loaded, run, io.env);
  try {
    await pause(io, wired, run);
  } catch (error) {
    if (!isNew) io.say(`warning: ${textOf(error)}`);
    else {
      await giveBack(io, wired, run);
      throw error;
    }
  }
  let hasBegun = !isNew;
  return {
    heed(event) {
      hasBegun = true;
      for (const announcement of announcementsOf(event, loaded.graph))
        for (const { component, announcer } of wired.announcers)
          if (component === announcement.component) announcer.announce(announcement);
    },
    async leave(ended) {
      if (ended?.phase.kind === "ended" || !hasBegun) await giveBack(io, wired, run);
      else sayWaiting(io, loaded, wired);
      const told = await Promise.all(wired.announcers.map(({ announcer }) => announcer.flush(FLUSH_MS)));
      const trouble = told.find((one) => one !== undefined);
      if (trouble !== undefined) io.say(`not every Event was written at the objects: ${trouble}`);
    },
  };
}

async function pause(io: CliIo, { managers }: WiredCompanions, run: string): Promise<void> {
  const signal = AbortSignal.timeout(PAUSE_DEADLINE_MS);
  for (const one of managers) for (const told of await one.managers.pause(run, signal)) io.say(told);
}

async function giveBack(io: CliIo, { managers }: WiredCompanions, run: string): Promise<void> {
  const signal = AbortSignal.timeout(PAUSE_DEADLINE_MS);
  for (const { component, managers: all } of managers) {
    try {
      for (const name of new Set(await all.giveBack(run, signal))) io.say(`${name} goes on`);
    } catch (error) {
      io.say(`warning: what waited for this run still waits: ${textOf(error)}\n  Give it back: ${freeing(component)}`);
    }
  }
}

function sayWaiting(io: CliIo, { environment }: Loaded, { managers }: WiredCompanions): void {
  for (const { component } of managers)
    io.say(
      `Managers of ${component} wait until the run has ended. Without resuming it: ${freeing(component)} --env ${environment.file}`,
    );
}

const freeing = (component: string): string => `midflight release-hold ${component}`;

const textOf = (error: unknown): string => {
  if (error instanceof UpgradeError) return `${error.message}; ${error.hint}`;
  return messageOf(error);
};
