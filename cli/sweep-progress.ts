/** How far a sweep has come, with rate and time left: a bar on a terminal, else a log line now and then. */
import type { SweepProgress } from "../sweep/index.ts";
import type { Context } from "./command.ts";

export interface SweepReporter {
  report(progress: SweepProgress): void;
  stop(): void;
}

const BAR_EVERY_MS = 500;
const LOG_EVERY_MS = 10_000;

/** 3725 -> `1 h 2 min` */
export function durationText(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `120/1000 points, 3.2/s, 5 min left, 1 failed`. @param before rows that were there at the start @param seconds since */
export function progressText({ done, total, failed }: SweepProgress, before: number, seconds: number): string {
  const rate = (done - before) / seconds;
  return [
    `${done}/${total} points`,
    ...(rate > 0 ? [`${rate.toFixed(1)}/s`, `${durationText((total - done) / rate)} left`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ].join(", ");
}

/** @param before rows that are there already */
export function createSweepProgress({ io, progress, log }: Context, before: number): SweepReporter {
  const start = performance.now();
  let drawn = 0;
  let logged = 0;
  return {
    report: (now) => {
      const elapsed = performance.now() - start;
      const text = () => progressText(now, before, elapsed / 1e3);
      if (io.stderr.isTTY === true && elapsed - drawn >= BAR_EVERY_MS) {
        drawn = elapsed;
        progress.stage(text())(now.done / now.total);
      }
      if (elapsed - logged >= LOG_EVERY_MS) {
        logged = elapsed;
        log.info(now, text());
      }
    },
    stop: () => progress.stop(),
  };
}
