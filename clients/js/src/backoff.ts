/* Backoff: how long to wait before the next attempt. Full jitter: any time between nothing and a limit that doubles,
 * because clients that lost the same server at the same moment must not come back at the same moment. */

export interface BackoffOptions {
  /** Limit of the first wait. */
  baseMs: number;
  /** Limit of all waits. */
  maxMs: number;
}

export class Backoff {
  #failures = 0;
  readonly #options: BackoffOptions;
  readonly #random: () => number;

  /** `random` gives a number from 0 up to, but not including, 1. */
  constructor(options: BackoffOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  nextMs(): number {
    const { baseMs, maxMs } = this.#options;
    /* 2 ** 1024 is Infinity, and min() takes care of that. */
    const limit = Math.min(maxMs, baseMs * 2 ** this.#failures);
    this.#failures++;
    return Math.floor(this.#random() * limit);
  }

  /** To be called when a connection has proved that it lasts, not already when it opens: a server that accepts and
   * closes at once would be called without a pause. */
  reset(): void {
    this.#failures = 0;
  }
}
