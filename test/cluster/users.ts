import { Agent, fetch as pooledFetch } from "undici";
import { pause, until } from "./commands.ts";

export type Users = { stop(): Promise<{ readonly sent: number; readonly lost: readonly string[] }> };

/** Clients with kept connections, until they are told to stop. Each asks again as soon as it was answered, or `pauseMs` later. Resolves once all were answered, from when on they count what they lose. */
export async function users(url: string, pauseMs = 0): Promise<Users> {
  const agents = Array.from({ length: 8 }, () => new Agent({ connections: 1 }));
  // The node hears of a Service's pods a moment after they are ready.
  await Promise.all(
    agents.map((dispatcher) => until("an answer of the Service", 30_000, () => isAnswered(url, dispatcher))),
  );
  const from = performance.now();
  const lost: string[] = [];
  let sent = 0;
  let isOver = false;
  const at = (): string => `after ${Math.round(performance.now() - from)} ms`;
  const done = agents.map(async (dispatcher) => {
    while (!isOver) {
      sent += 1;
      try {
        const response = await pooledFetch(url, { dispatcher });
        await response.text();
        if (response.status !== 200) lost.push(`${at()}: status ${response.status}`);
      } catch (error) {
        const why = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
        lost.push(`${at()}: ${why}`);
      }
      if (pauseMs > 0) await pause(pauseMs);
    }
    await dispatcher.close();
  });
  return {
    async stop() {
      isOver = true;
      await Promise.all(done);
      return { sent, lost };
    },
  };
}

const isAnswered = async (url: string, dispatcher: Agent): Promise<true | string> => {
  const response = await pooledFetch(url, { dispatcher });
  await response.text();
  return response.status === 200 ? true : `status ${response.status}`;
};
