/** The event queue: a binary heap in typed arrays, ordered by time and, at equal times, by order. */
export class EventQueue {
  /** Time of the event popped last. */
  time = 0;
  size = 0;
  /** Events popped so far. */
  popped = 0;
  private times = new Float64Array(256);
  private orders = new Float64Array(256);
  private events = new Int32Array(256);

  /** Time of the first event; Infinity: there is none. */
  get nextTime(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : this.times[0];
  }

  /** @param order ties are broken by it, the lower first; equal orders at one time may come in any order */
  push(time: number, order: number, event: number): void {
    if (this.size === this.times.length) this.grow();
    const { times, orders, events } = this;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (times[parent] < time || (times[parent] === time && orders[parent] <= order)) break;
      times[at] = times[parent];
      orders[at] = orders[parent];
      events[at] = events[parent];
      at = parent;
    }
    times[at] = time;
    orders[at] = order;
    events[at] = event;
  }

  /** Removes the first event and returns it; `time` is then its time. The queue must not be empty. */
  pop(): number {
    const { times, orders, events } = this;
    const first = events[0];
    this.time = times[0];
    this.popped++;
    const size = --this.size;
    const time = times[size];
    const order = orders[size];
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      const right = child + 1;
      if (
        right < size &&
        (times[right] < times[child] || (times[right] === times[child] && orders[right] < orders[child]))
      ) {
        child = right;
      }
      if (time < times[child] || (time === times[child] && order <= orders[child])) break;
      times[at] = times[child];
      orders[at] = orders[child];
      events[at] = events[child];
      at = child;
    }
    times[at] = time;
    orders[at] = order;
    events[at] = events[size];
    return first;
  }

  private grow(): void {
    const grown = <T extends Float64Array | Int32Array>(old: T, next: T): T => {
      next.set(old);
      return next;
    };
    const capacity = 2 * this.times.length;
    this.times = grown(this.times, new Float64Array(capacity));
    this.orders = grown(this.orders, new Float64Array(capacity));
    this.events = grown(this.events, new Int32Array(capacity));
  }
}
