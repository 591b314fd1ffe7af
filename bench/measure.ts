/** Taking times: each is told as wall and CPU time, since a ratio of CPU times stands on a busy machine too. */

export interface Times {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** Times of so many calls one by one, after some that warm up. */
export async function timesOf(calls: number, warmUps: number, call: () => unknown): Promise<Times[]> {
  const times: Times[] = [];
  for (let i = -warmUps; i < calls; i++) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    await call();
    const wallMs = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    if (i >= 0) times.push({ wallMs, cpuMs: (user + system) / 1000 });
  }
  return times;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function medianTimes(times: readonly Times[]): Times {
  return { wallMs: median(times.map(({ wallMs }) => wallMs)), cpuMs: median(times.map(({ cpuMs }) => cpuMs)) };
}
