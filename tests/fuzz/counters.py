"""What must still be true of a database after any requests whatever."""

# Users whose counters and revisions do not say what their tasks say; there must be none.
UNBALANCED = """
SELECT users.id FROM users LEFT JOIN tasks ON tasks.user_id = users.id GROUP BY users.id
HAVING open_tasks <> count(tasks.id) FILTER (WHERE NOT completed AND deleted_at IS NULL)
    OR done_tasks <> count(tasks.id) FILTER (WHERE completed AND deleted_at IS NULL)
    OR trashed_tasks <> count(tasks.id) FILTER (WHERE deleted_at IS NOT NULL)
    OR users.revision < coalesce(max(tasks.revision), 0)
    OR count(DISTINCT tasks.revision) <> count(tasks.id)
"""
