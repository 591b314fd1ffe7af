/** How far long work has come: a bar on standard error when that is a terminal, else nothing. */
import type { Io } from "./io.ts";

export interface Progress {
  /** Begins a stage; the result reports how much of it is done, 0..1. */
  stage(name: string): (fraction: number) => void;
  /** Takes the bar off the terminal. */
  stop(): void;
}

const SILENT: Progress = { stage: () => () => {}, stop: () => {} };

const BAR_WIDTH = 30;

export async function createProgress(io: Io, wanted: boolean): Promise<Progress> {
  if (!wanted || io.stderr.isTTY !== true || io.env.TERM === "dumb") return SILENT;
  const { default: progress } = await import("cli-progress");
  const bar = new progress.SingleBar({
    stream: io.stderr as unknown as NodeJS.WritableStream,
    format: `{stage} {bar} {percentage} %`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: BAR_WIDTH,
    clearOnComplete: true,
    // a process that is ended by a signal could not undo either
    hideCursor: false,
    linewrap: true,
  });
  let running = false;
  const stop = () => {
    if (running) bar.stop();
    running = false;
  };
  return {
    stage: (name) => {
      stop();
      bar.start(1, 0, { stage: name.padEnd(10) });
      running = true;
      let reached = 0;
      return (fraction) => {
        // work that starts over, such as another schedule, does not take the bar back
        reached = Math.max(reached, Math.min(1, fraction));
        if (running) bar.update(reached);
      };
    },
    stop,
  };
}
