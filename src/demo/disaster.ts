import type { RunEvent } from "../events/event.ts";
import type { Fault } from "./stories/story.ts";
import type { Estate } from "./surface.ts";
import type { Venue } from "./venue/venue.ts";

/** The gateways of a region, as its servers lose their power and have it again. */
export type Servers = {
  /** Everything that runs there dies at once, and says no goodbye. */
  lose(region: string): Promise<void>;
  /** Resolves when it was told to come back. */
  restore(region: string): Promise<void>;
};

export const serversOf = (estate: Estate): Servers => ({
  async lose(region) {
    for (const pid of await estate.pids(region)) kill(pid);
  },
  restore: (region) => estate.restore(region),
});

/** A server dies in the middle of an upgrade, and comes back after a while with everything that ran on it. */
export class Disaster {
  private readonly death: Fault["death"];
  private readonly engines: Venue["engines"];
  private readonly servers: Servers;
  private readonly say: (text: string) => void;
  private batches = 0;
  /** When the power went, ms since the epoch. */
  struckAt: number | undefined;
  private running: Promise<void> | undefined;

  constructor(death: Fault["death"], { engines }: Venue, servers: Servers, say: (text: string) => void) {
    this.death = death;
    this.engines = engines;
    this.servers = servers;
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
    const [active] = this.engines;
    await this.servers.lose(death.region);
    active.kill();
    await new Promise((resolve) => setTimeout(resolve, death.awayMs));
    this.say(`power is back: its processes start again`);
    await active.restart();
    await this.servers.restore(death.region);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went by itself in the meantime.
  }
}
