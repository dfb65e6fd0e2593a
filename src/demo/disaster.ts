import type { RunEvent } from "../events/event.ts";
import type { Fault } from "./stories/story.ts";
import type { Estate } from "./surface.ts";
import type { Venue } from "./venue/venue.ts";

/** A server dies in the middle of an upgrade, and comes back after a while with everything that ran on it. */
export class Disaster {
  private readonly death: Fault["death"];
  private readonly venue: Venue;
  private readonly estate: Estate;
  private readonly say: (text: string) => void;
  private batches = 0;
  /** When the power went, ms since the epoch. */
  struckAt: number | undefined;
  private running: Promise<void> | undefined;

  constructor(death: Fault["death"], venue: Venue, estate: Estate, say: (text: string) => void) {
    this.death = death;
    this.venue = venue;
    this.estate = estate;
    this.say = say;
  }

  /** Counts batches, and strikes when it is time. */
  heed(event: RunEvent): void {
    if (this.death === undefined || event.kind !== "move-done" || !event.move.endsWith("/retire")) return;
    this.batches += 1;
    if (this.batches === this.death.afterBatches) this.running ??= this.strike(this.death);
  }

  /** Resolves when the server is back, if it ever went. */
  async over(): Promise<void> {
    await this.running?.catch(() => {});
  }

  private async strike(death: NonNullable<Fault["death"]>): Promise<void> {
    this.struckAt = Date.now();
    this.say(`the server with the active matching engine and the gateways of ${death.region} loses its power`);
    const [active] = this.venue.engines;
    for (const pid of await this.estate.pids(death.region)) kill(pid);
    active.kill();
    await new Promise((resolve) => setTimeout(resolve, death.awayMs));
    this.say(`power is back: its processes start again`);
    await active.restart();
    await this.estate.restore(death.region);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went by itself in the meantime.
  }
}
