/* Listeners: functions of the application. One that throws must not keep the others, or the connection, from working. */

export class Listeners<T> {
  readonly #all = new Set<{ readonly listener: (value: T) => void }>();

  /** Each add counts, also of the same function; the function that it returns undoes just this one. */
  add(listener: (value: T) => void): () => void {
    const one = { listener };
    this.#all.add(one);
    return () => void this.#all.delete(one);
  }

  tell(value: T): void {
    for (const one of [...this.#all]) {
      if (this.#all.has(one)) this.call(one.listener, value);
    }
  }

  call(listener: (value: T) => void, value: T): void {
    try {
      listener(value);
    } catch (problem) {
      console.error('A listener of a Feedwire client threw:', problem);
    }
  }
}
