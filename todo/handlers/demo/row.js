// One task on the screen: tick it, edit its title in place, delete it.
const clone = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

export class Row {
  element = clone("row");
  #editor; // while the title is edited
  #seen; // the task as it was when the editing began
  #actions;

  /** `actions` has `tick(entry, completed)`, `remove(entry)`, `save(entry, seen, title)` and `closed()`. */
  constructor(entry, actions) {
    this.entry = entry;
    this.#actions = actions;
    this.#part("input").addEventListener("change", ({ target }) => actions.tick(entry, target.checked));
    this.#part(".title").addEventListener("click", () => this.#edit());
    this.#part(".delete").addEventListener("click", () => actions.remove(entry));
  }

  get editing() {
    return this.#editor !== undefined;
  }

  show(task, waiting = false) {
    this.task = task;
    const { title, completed } = task;
    this.element.classList.toggle("completed", completed);
    write(this.#part(".title"), title);
    this.#part(".title").setAttribute("aria-label", `Edit ${title}`);
    this.#part("input[type=checkbox]").checked = completed;
    this.#part("input[type=checkbox]").setAttribute("aria-label", `Completed: ${title}`);
    this.#part(".delete").setAttribute("aria-label", `Delete ${title}`);
    this.#part(".waiting").hidden = !waiting;
    if (this.editing) write(this.#editor.querySelector(".hint"), this.#hint());
  }

  /** Shows that somebody else changed it. */
  flash() {
    this.element.classList.remove("news");
    void this.element.offsetWidth; // begins the animation again
    this.element.classList.add("news");
  }

  focus() {
    this.#part(".title").focus();
  }

  #part(selector) {
    return this.element.querySelector(selector);
  }

  #hint() {
    if (this.entry.gone) return "This task was deleted meanwhile. Save brings it back.";
    if (this.task.title !== this.#seen.title) return `Meanwhile somebody else made it “${this.task.title}”.`;
    return "";
  }

  #edit() {
    this.#seen = this.task;
    this.#editor = clone("editor");
    const field = this.#editor.querySelector("input");
    field.value = this.task.title;
    this.#editor.addEventListener("submit", (event) => {
      event.preventDefault();
      const title = field.value;
      if (!title.trim()) return field.focus();
      this.#close();
      if (title !== this.#seen.title || this.entry.gone) this.#actions.save(this.entry, this.#seen, title);
    });
    this.#editor.addEventListener("keydown", ({ key }) => key === "Escape" && this.#close());
    this.#editor.querySelector("[type=button]").addEventListener("click", () => this.#close());
    this.element.classList.add("editing");
    this.element.append(this.#editor);
    field.select();
  }

  #close() {
    this.#editor.remove();
    this.#editor = undefined;
    this.element.classList.remove("editing");
    this.focus();
    this.#actions.closed();
  }
}

/** A text that stays is not announced again. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
