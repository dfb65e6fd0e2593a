/**
 * Saying goodbye in order. `open`: serves. `draining`: still serves everything, and tells everybody to go elsewhere.
 * `closed`: refuses before it accepts, and only finishes what is in flight.
 */
export type DrainState = "open" | "draining" | "closed";

export type Drain = {
  state(): DrainState;
  /** ms until `closed`; 0 when closed, `undefined` while open. */
  timeLeftMs(): number | undefined;
  /** Takes one operation in; call the result when it is answered. `undefined`: refused. */
  tryEnter(): (() => void) | undefined;
  inflight(): number;
  /** Starts the notice; repeated, it changes nothing. */
  start(noticeMs: number): void;
  /** Opens again, whatever was going on. */
  undo(): void;
  /** Resolves once it is closed and nothing is in flight. */
  settled(): Promise<void>;
};

export type DrainListener = {
  /** The notice has begun: tell the sockets, spread over `spreadMs` so that they do not all come back at once. */
  onNotice(spreadMs: number): void;
  onUndone(): void;
  /** The notice is over: sockets go as soon as they have nothing in flight. */
  onClosed(): void;
};

export const createDrain = (listener: DrainListener): Drain => {
  let state: DrainState = "open";
  let closesAt = 0;
  let inflight = 0;
  let timer: NodeJS.Timeout | undefined;
  let waiting: (() => void)[] = [];
  const settle = (): void => {
    if (state !== "closed" || inflight > 0) return;
    const due = waiting;
    waiting = [];
    for (const resolve of due) resolve();
  };
  const close = (): void => {
    state = "closed";
    listener.onClosed();
    settle();
  };
  return {
    state: () => state,
    timeLeftMs: () =>
      state === "open" ? undefined : state === "closed" ? 0 : Math.max(0, closesAt - performance.now()),
    tryEnter() {
      if (state === "closed") return undefined;
      inflight += 1;
      return once(() => {
        inflight -= 1;
        settle();
      });
    },
    inflight: () => inflight,
    start(noticeMs) {
      if (state !== "open") return;
      state = "draining";
      closesAt = performance.now() + noticeMs;
      timer = setTimeout(close, noticeMs);
      listener.onNotice(noticeMs / 2);
    },
    undo() {
      clearTimeout(timer);
      state = "open";
      listener.onUndone();
    },
    settled: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        settle();
      }),
  };
};

const once = (act: () => void): (() => void) => {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    act();
  };
};
