/**
 * Names for what changed at the vendors. Two calls that made the same change twice get the same text, so that a test can
 * find doubles; a change that was made, undone and made again gets ` (#2)`.
 * @module
 */

/** Names effects and counts their repeats. */
export class Effects {
  readonly #last = new Map<string, string>();
  readonly #times = new Map<string, number>();

  /**
   * Name a change of `subject`. It is a new one whenever the last change of the same subject was a different one.
   * @param subject What the change is about, for instance `group membership of pat`.
   * @param text What is now so, for instance `netskope: pat@example.test added to group Lost-Stolen Devices`.
   */
  name(subject: string, text: string): string {
    let times = this.#times.get(text) ?? 0;
    if (this.#last.get(subject) !== text) {
      times += 1;
      this.#times.set(text, times);
      this.#last.set(subject, text);
    }
    return times > 1 ? `${text} (#${times})` : text;
  }

  /** The next change of this subject is a new one, whatever it is. */
  rearm(subject: string): void {
    this.#last.delete(subject);
  }
}
