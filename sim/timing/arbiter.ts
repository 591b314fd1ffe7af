/**
 * Whose request a DRAM channel takes next: fetch first, then port after port, each until it has had its quantum of bytes or has
 * no more requests waiting. What a port took too much is taken off its next turn (surplus round robin), so that ports that always
 * wait get the same bytes whatever the sizes of their requests.
 */
const WORD_BITS = 32;

export class Arbiter {
  /** One bit for each port that has a request waiting. */
  private readonly ready: Int32Array;
  private readonly credits: Float64Array;
  private current: number;
  /** Ports that have a request waiting. */
  waiting = 0;

  constructor(
    ports: number,
    private readonly fetchPort: number,
    private readonly quantumBytes: number,
  ) {
    this.ready = new Int32Array(Math.ceil(ports / WORD_BITS));
    this.credits = new Float64Array(ports);
    this.current = fetchPort;
  }

  /** The bus has come to rest: turns begin anew, so that what went before has no effect. */
  restart(): void {
    this.current = this.fetchPort;
    this.credits.fill(0);
  }

  add(port: number): void {
    this.ready[port >> 5] |= 1 << (port & 31);
    this.waiting++;
  }

  remove(port: number): void {
    this.ready[port >> 5] &= ~(1 << (port & 31));
    this.waiting--;
  }

  private isReady(port: number): boolean {
    return ((this.ready[port >> 5] >>> (port & 31)) & 1) === 1;
  }

  /** The port whose turn it is; one at least must be waiting. */
  next(): number {
    if (this.isReady(this.fetchPort)) return this.fetchPort;
    const { credits } = this;
    if (!this.isReady(this.current)) credits[this.current] = Math.min(credits[this.current], 0);
    else if (credits[this.current] > 0) return this.current;
    do {
      this.current = this.readyAfter(this.current);
      credits[this.current] += this.quantumBytes;
    } while (credits[this.current] <= 0);
    return this.current;
  }

  /** The port has been served so many bytes. */
  charge(port: number, bytes: number): void {
    this.credits[port] -= bytes;
  }

  /** The first port with a request waiting behind this one, cyclically. */
  private readyAfter(port: number): number {
    const { ready } = this;
    let word = port >> 5;
    // bits above the port's own; a shift by 32 would be one by 0
    let bits = (port & 31) === 31 ? 0 : ready[word] & (-1 << ((port & 31) + 1));
    while (bits === 0) {
      word = word + 1 === ready.length ? 0 : word + 1;
      bits = ready[word];
    }
    return word * WORD_BITS + (31 - Math.clz32(bits & -bits));
  }
}
