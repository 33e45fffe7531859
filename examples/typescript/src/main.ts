// A task from its creation to its end. API_URL and TOKEN come from the environment.
import { ApiError, todoClient } from "./client.js";

const api = todoClient(process.env["API_URL"] ?? "http://localhost:8000", async () => {
  const token = process.env["TOKEN"];
  if (!token) throw new Error("TOKEN is not set; get one with: .venv/bin/todo token --sub alice");
  return token;
});
const me = { user_id: "me" };

const created = await api.POST("/api/{user_id}/tasks", {
  params: { path: me },
  body: { title: "Buy milk", description: "Two litres" },
});
const task = created.data!;
const path = { ...me, task_id: task.id };
console.log("created", task.title, task.completed);

const done = await api.PATCH("/api/{user_id}/tasks/{task_id}/complete", {
  params: { path },
  body: { completed: true },
});
console.log("completed", done.data!.completed_at !== null);

const cleared = await api.PUT("/api/{user_id}/tasks/{task_id}", {
  params: { path },
  body: { description: null },
});
console.log("description", cleared.data!.description);

const page = await api.GET("/api/{user_id}/tasks", {
  params: { path: me, query: { status: "completed", limit: 10 } },
});
console.log("listed", page.data!.tasks.map((each) => each.title), page.data!.total);

await api.DELETE("/api/{user_id}/tasks/{task_id}", { params: { path } });

try {
  await api.GET("/api/{user_id}/tasks/{task_id}", { params: { path } });
} catch (error) {
  if (!(error instanceof ApiError)) throw error;
  switch (error.code) {
    case "task_not_found":
      console.log("gone:", error.problem.status, error.code, "-", error.problem.detail);
      break;
    case "token_expired": // the one thing that a new token mends
    default:
      throw error;
  }
}
