// The scenes of tests/integration/test_repeating.py; each prints one JSON.
import { api, me, play } from "./board-losing.js";
import type { NewTask, Task } from "./client.js";
import {
  afterCompletion,
  every,
  here,
  monthly,
  monthlyOn,
  repeat,
  skip,
  tick,
  times,
  until,
  upcoming,
  weekdays,
  weekly,
} from "./recurrence.js";

async function create(fields: Omit<NewTask, "title">): Promise<Task> {
  const body: NewTask = { title: "Pay the rent", ...fields };
  return (await api.POST("/api/{user_id}/tasks", { params: { path: me }, body })).data!;
}

const told = ({ due_date, completed, occurrence_number }: Task) => [due_date, completed, occurrence_number];

/** What the usual choices mean to the server: in English, and as the dates after the first. */
async function chosen() {
  const nine = new Date("2031-03-28T09:00").toISOString(); // a Friday; on Sunday the clocks change
  const choices: Omit<NewTask, "title">[] = [
    { due_date: nine, time_zone: here(), recurrence: weekdays },
    { due_date: "2031-01-31", recurrence: monthly(-1) },
    { due_date: "2031-01-31", recurrence: every(1, "MONTHLY") },
    { due_date: "2031-01-01", recurrence: afterCompletion(every(3, "DAILY")) },
    { due_date: "2031-01-07", recurrence: weekly(["TU"], 2) },
    { due_date: "2031-01-14", recurrence: times(monthlyOn(2, "TU"), 3) },
    { due_date: "2031-01-31", recurrence: monthlyOn(-1, "FR") },
    { due_date: "2031-01-06", recurrence: until(weekly(["MO", "TH"]), "2031-01-13") },
  ];
  const meant: Record<string, string[]> = {};
  for (const choice of choices) {
    const task = await create(choice);
    meant[task.recurrence_text!] = await upcoming(api, task, 3);
  }
  return meant;
}

/** A tick, a tick of what is ticked, what takes it back, and a next one that somebody deletes. */
async function ticked() {
  const task = await create({ due_date: "2031-01-31", recurrence: monthly(-1) });
  const first = await tick(api, task, true);
  const again = await tick(api, first.task, true);
  const open = await tick(api, first.task, false);
  const second = await tick(api, open.task, true);
  await api.DELETE("/api/{user_id}/tasks/{task_id}", { params: { path: { ...me, task_id: second.next!.id } } });
  const without = await tick(api, second.task, true);
  const last = await tick(api, without.task, false);
  return {
    first: [told(first.task), told(first.next!)],
    same: again.next!.id === first.next!.id && again.task.revision === first.task.revision,
    open: [told(open.task), open.gone === first.next!.id, "next" in open],
    second: [told(second.task), told(second.next!)],
    without: ["next" in without, told(without.task), told(last.task)],
  };
}

/** One occurrence is moved, one is skipped, the rhythm gets another rule, and an end. */
async function changed() {
  const task = await create({ due_date: "2031-01-06", recurrence: afterCompletion(every(1, "WEEKLY")) });
  const ruled = await repeat(api, task, weekly(["MO"]));
  const params = { path: { ...me, task_id: task.id } };
  const moved = (await api.PATCH("/api/{user_id}/tasks/{task_id}", { params, body: { due_date: "2031-01-08" } })).data!;
  const { next } = await tick(api, moved, true);
  const skipped = await skip(api, next!);
  const ended = await repeat(api, skipped, null);
  const done = await tick(api, ended, true);
  return {
    ruled: ruled.recurrence,
    dates: [ruled, moved, next!, skipped].map(told),
    ended: [ended.recurrence, "next" in done, await upcoming(api, ended)],
  };
}

await play({ chosen, ticked, changed });
