// A store of live.ts in IndexedDB; docs/live-updates.md has this file, and why.
import { type Change, isNews, type Place, placeBehind, type Store, type Task, type TaskChange } from "./live.js";

/** Outlives the page. Each user has a database of their own. */
export class IndexedStore implements Store {
  constructor(readonly database: IDBDatabase) {}

  static async open(name: string): Promise<IndexedStore> {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("tasks", { keyPath: "id" });
      opening.result.createObjectStore("place");
    };
    return new IndexedStore(await resultOf(opening));
  }

  place = () => this.#in("readonly", (_, place) => resultOf<Place | undefined>(place.get(0)));
  all = () => this.#in("readonly", (tasks) => resultOf<Task[]>(tasks.getAll()));

  apply = (changes: Change[], token: string) =>
    this.#in("readwrite", async (tasks, place) => {
      const before = await resultOf<Place | undefined>(place.get(0));
      const news: TaskChange[] = [];
      for (const change of changes) {
        if (!isNews(change, before, await resultOf<Task | undefined>(tasks.get(change.id)))) continue;
        if (change.data) tasks.put(change.data);
        else tasks.delete(change.id);
        news.push(change);
      }
      place.put(placeBehind(changes, token, before), 0);
      return news;
    });

  replace = (all: Task[], to?: Place) =>
    this.#in("readwrite", async (tasks, place) => {
      tasks.clear();
      place.clear();
      for (const task of all) tasks.put(task);
      if (to) place.put(to, 0);
    });

  clear = () => this.replace([]);

  /** Runs `work` in one transaction. Gives back what `work` does, when all of it is written. */
  async #in<T>(mode: IDBTransactionMode, work: (tasks: IDBObjectStore, place: IDBObjectStore) => Promise<T>): Promise<T> {
    const transaction = this.database.transaction(["tasks", "place"], mode);
    const written = new Promise<void>((done, fail) => {
      transaction.oncomplete = () => done();
      transaction.onabort = () => fail(transaction.error);
    });
    const given = work(transaction.objectStore("tasks"), transaction.objectStore("place")).catch((error: unknown) => {
      transaction.abort();
      throw error;
    });
    return (await Promise.all([given, written]))[0];
  }
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
}
