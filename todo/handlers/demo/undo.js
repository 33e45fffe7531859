// The last change of this tab that can be taken back. It outlives a reload; an undo is undone the same way.
import { Refused } from "./optimistic.js";

export class Undo {
  #key;
  #send;
  #changed;

  /** `send` makes a call; `changed` is told when `last` is another. */
  constructor(userId, send, changed) {
    this.#key = `todo-demo:undo:${userId}`;
    this.#send = send;
    this.#changed = changed;
  }

  /** Its revision, what it was in words, and whether it is undone; null when there is none. */
  get last() {
    return JSON.parse(sessionStorage.getItem(this.#key) ?? "null");
  }

  remember(revision, words) {
    if (revision > (this.last?.revision ?? 0)) this.#keep({ revision, words, undone: false });
  }

  /** Undo, or redo. Throws what the API says, as a sentence. */
  async run() {
    const { revision, words, undone, call = callOf(revision) } = this.last;
    this.#keep({ revision, words, undone, call }); // without an answer it is sent again, with the same key
    try {
      const { body } = await this.#send(call);
      this.#keep({ revision: body.revision, words, undone: !undone });
    } catch (error) {
      if (!(error instanceof Refused)) throw new Error("No answer. Try again when the line is back.");
      this.#keep(null);
      throw new Error(sentence(error.problem));
    }
  }

  #keep(last) {
    sessionStorage.setItem(this.#key, JSON.stringify(last));
    this.#changed();
  }
}

const callOf = (revision) => ({
  method: "POST",
  path: "/undo",
  headers: { "Idempotency-Key": crypto.randomUUID() },
  body: { revision },
});

function sentence({ status, detail, current }) {
  if (status === 412 && !current) return "This cannot be undone: the task was deleted since.";
  if (status === 412) return `This cannot be undone: “${current.title}” was changed again since.`;
  if (status === 409) return "This cannot be undone any more: it is too long ago, or deleted for good.";
  return detail;
}
