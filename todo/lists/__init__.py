"""The rules of lists, which have tasks: tasks know of the table alone, and lists know tasks."""
