"""``python -m todo.settings``, in a checkout, renews the page and the example of the settings."""

from pathlib import Path

from todo.settings.reference import example, with_tables

page = Path("docs", "configuration.md")
page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")
Path(".env.example").write_text(example(), encoding="utf-8")
