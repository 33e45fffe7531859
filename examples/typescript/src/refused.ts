// What does not compile, because the API would refuse it. Nothing here is ever called.
import { type NewTask, todoClient } from "./client.js";

export async function refused(): Promise<void> {
  const api = todoClient("http://localhost:8000", async () => "");
  const path = { user_id: "me" };

  // @ts-expect-error a title is required
  await api.POST("/api/{user_id}/tasks", { params: { path }, body: {} });
  // @ts-expect-error there is no such field
  const starred: NewTask = { title: "x", starred: true };
  await api.POST("/api/{user_id}/tasks", { params: { path }, body: starred });
  // @ts-expect-error a title cannot be cleared
  await api.PUT("/api/{user_id}/tasks/{task_id}", { params: { path: { ...path, task_id: 1 } }, body: { title: null } });
  // @ts-expect-error an id is a number
  await api.GET("/api/{user_id}/tasks/{task_id}", { params: { path: { ...path, task_id: "1" } } });
  // @ts-expect-error there is no such status
  await api.GET("/api/{user_id}/tasks", { params: { path, query: { status: "done" } } });
  // @ts-expect-error there is no such path
  await api.GET("/api/{user_id}/todos", { params: { path } });
}
