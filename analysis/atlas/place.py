"""Where a store lies, as the commands on its page name it."""

import shlex
from pathlib import Path


def quoted_place(store: str | Path) -> str:
    """A store's full path or its URL, quoted for a shell: the command works in any folder."""
    where = str(store) if "://" in str(store) else str(Path(store).resolve())
    return shlex.quote(where)
