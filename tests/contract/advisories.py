"""Published weaknesses of what the server runs on, and the versions that mend them.

The newest one of a package is enough, for its version mends the older ones, too. A weakness that
the server does not reach counts as well: whoever scans an installation finds it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Advisory:
    """A weakness of every version of `package` before `mended`."""

    package: str
    mended: str
    cve: str
    weakness: str

    @property
    def source(self) -> str:
        """The page of the record."""
        return f"https://www.cve.org/CVERecord?id={self.cve}"

    def __str__(self) -> str:
        return f"{self.package} {self.cve}"


ADVISORIES = tuple(
    Advisory(*columns)
    for columns in (
        ("certifi", "2024.7.4", "CVE-2024-39689", "trusts an authority that was removed"),
        ("click", "8.3.3", "CVE-2026-7246", "an editor's name runs in a shell (disputed)"),
        ("cryptography", "46.0.5", "CVE-2026-26007", "keys of a binary curve give others away"),
        ("cryptography", "46.0.7", "CVE-2026-39892", "a buffer overflow"),
        ("cryptography", "50.0.0", "CVE-2026-69247", "decrypting PKCS#7 is an oracle"),
        ("flask", "3.1.3", "CVE-2026-27205", "a session is read without Vary: Cookie"),
        ("gunicorn", "27.0.0", "CVE-2026-134820", "malformed framing smuggles requests"),
        ("gunicorn", "27.0.0", "CVE-2026-134821", "lines without an end fill the memory"),
        ("h11", "0.16.0", "CVE-2025-43859", "malformed chunks smuggle requests"),
        ("httpx", "0.23.0", "CVE-2021-41945", "a crafted URL leads to another host"),
        ("idna", "3.15", "CVE-2026-45409", "a long name takes long"),
        ("jinja2", "3.1.6", "CVE-2025-27516", "a template leaves the sandbox"),
        ("mako", "1.3.12", "CVE-2026-44307", "a backslash leaves the folder (Windows)"),
        ("orjson", "3.11.6", "CVE-2025-67221", "deep nesting ends the process"),
        ("pyjwt", "2.12.0", "CVE-2026-32597", "critical headers are ignored"),
        ("pyjwt", "2.13.0", "CVE-2026-48523", "the list of algorithms is bypassed"),
        ("pyjwt", "2.15.0", "CVE-2026-101918", "reading an unverified token can be abused"),
        ("python-multipart", "0.0.27", "CVE-2026-42561", "headers of a part without bounds"),
        ("pyyaml", "5.4", "CVE-2020-14343", "loading runs code"),
        ("requests", "2.33.0", "CVE-2026-25645", "a temporary file has a name that others know"),
        ("starlette", "1.0.1", "CVE-2026-48710", "the Host header changes the path"),
        ("starlette", "1.3.1", "CVE-2026-54283", "forms without bounds"),
        ("urllib3", "2.8.0", "CVE-2026-97688", "a compressed response never ends"),
        ("urllib3", "2.8.0", "CVE-2026-97689", "a line without an end fills the memory"),
        ("werkzeug", "3.1.6", "CVE-2026-27199", "a device opens as a file (Windows)"),
    )
)  # fmt: skip
