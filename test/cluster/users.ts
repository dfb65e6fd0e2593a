import { Agent, fetch as pooledFetch } from "undici";

/** Clients with kept connections, until they are told to stop. Resolves with what they saw. */
export function users(url: string): { stop(): Promise<{ readonly sent: number; readonly lost: readonly string[] }> } {
  const agents = Array.from({ length: 8 }, () => new Agent({ connections: 1 }));
  const lost: string[] = [];
  let sent = 0;
  let isOver = false;
  const done = agents.map(async (dispatcher) => {
    while (!isOver) {
      sent += 1;
      try {
        const response = await pooledFetch(url, { dispatcher });
        await response.text();
        if (response.status !== 200) lost.push(`status ${response.status}`);
      } catch (error) {
        lost.push(error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error));
      }
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
