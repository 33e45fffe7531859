// Tasks that repeat; docs/recurrence.md has this file in parts, and why.
import type { components } from "./api.js";
import { ApiError, type Task, type todoClient } from "./client.js";
import { once } from "./lists.js";

type Schemas = components["schemas"];
type Api = ReturnType<typeof todoClient>;
export type Repeat = NonNullable<Schemas["RecurrenceCreate"]>;
export type Unit = "DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY";
export type Day = "MO" | "TU" | "WE" | "TH" | "FR" | "SA" | "SU";

const ruled = (freq: Unit, n: number, ...parts: string[]): Repeat => ({
  rule: [`FREQ=${freq}`, `INTERVAL=${n}`, ...parts].join(";"),
});

/** Every `n` days, weeks, months or years. */
export const every = (n: number, unit: Unit) => ruled(unit, n);

/** On these days of every `n`-th week. */
export const weekly = (days: Day[], n = 1) => ruled("WEEKLY", n, `BYDAY=${days}`);

export const weekdays = weekly(["MO", "TU", "WE", "TH", "FR"]);

/** On a day of every `n`-th month: 1 to 28, or -1, the last one. */
export const monthly = (day: number, n = 1) => ruled("MONTHLY", n, `BYMONTHDAY=${day}`);

/** On the second Tuesday of every `n`-th month: `monthlyOn(2, "TU")`; on the last Friday: `monthlyOn(-1, "FR")`. */
export const monthlyOn = (nth: number, day: Day, n = 1) => ruled("MONTHLY", n, `BYDAY=${nth}${day}`);

/** Counted from the day on which the task is completed. */
export const afterCompletion = (repeat: Repeat): Repeat => ({ ...repeat, from: "completion" });

/** So many tasks in all, with the first one. */
export const times = (repeat: Repeat, count: number): Repeat => ({ ...repeat, rule: `${repeat.rule};COUNT=${count}` });

/** Up to and with a day, the value of `<input type="date">`. */
export const until = (repeat: Repeat, day: string): Repeat => ({
  ...repeat,
  rule: `${repeat.rule};UNTIL=${day.replaceAll("-", "")}`,
});

/** Where the user is: for `time_zone` of a task, and for `tz` of a request. */
export const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

const me = { user_id: "me" };
const pathOf = (task_id: number) => ({ ...me, task_id });

/** What became of a task: `next` is the task that is there instead, `gone` the id of a next one that was taken back. */
export interface Ticked {
  task: Task;
  next?: Task;
  gone?: number;
}

/** Completes a task, or reopens it. `before` is the task as it is shown. */
export async function tick(api: Api, before: Task, completed: boolean): Promise<Ticked> {
  const [path, query] = [pathOf(before.id), { tz: here() }];
  const { data } = await once((header) =>
    api.PATCH("/api/{user_id}/tasks/{task_id}/complete", { params: { path, query, header }, body: { completed } }),
  );
  const task = data!;
  if (!completed) return before.next_id && !task.next_id ? { task, gone: before.next_id } : { task };
  const next = task.next_id && (await found(api, task.next_id));
  return next ? { task, next } : { task };
}

/** A task; undefined if it was deleted. */
async function found(api: Api, id: number): Promise<Task | undefined> {
  try {
    return (await api.GET("/api/{user_id}/tasks/{task_id}", { params: { path: pathOf(id) } })).data;
  } catch (error) {
    if (error instanceof ApiError && error.code === "task_not_found") return undefined;
    throw error;
  }
}

/** Not this time: the task gets its next date. */
export async function skip(api: Api, { id }: Task): Promise<Task> {
  const [path, query] = [pathOf(id), { tz: here() }];
  const { data } = await once((header) =>
    api.POST("/api/{user_id}/tasks/{task_id}/skip", { params: { path, query, header } }),
  );
  return data!;
}

/** The dates after that of the task, for a preview or a calendar. */
export async function upcoming(api: Api, { id }: Task, limit = 10): Promise<string[]> {
  const params = { path: pathOf(id), query: { limit, tz: here() } };
  const { data } = await api.GET("/api/{user_id}/tasks/{task_id}/occurrences", { params });
  return data!.occurrences;
}

/** Another rule begins a new series at the task; null ends the series. */
export async function repeat(api: Api, { id }: Task, recurrence: Repeat | null): Promise<Task> {
  const [path, query] = [pathOf(id), { tz: here() }];
  const body = { recurrence: recurrence && { from: null, ...recurrence } };
  const { data } = await once((header) =>
    api.PATCH("/api/{user_id}/tasks/{task_id}", { params: { path, query, header }, body }),
  );
  return data!;
}
