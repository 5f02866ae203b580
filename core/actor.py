"""Who acts: the name that goes with every act into the log."""

import getpass
import os


def operator_name() -> str:
    """``STREAMGUARD_OPERATOR``, else the login name, else the number of a user that has no name (in a container)."""
    try:
        return os.environ.get("STREAMGUARD_OPERATOR") or getpass.getuser()
    except (KeyError, OSError):  # KeyError before Python 3.13
        return f"uid-{os.getuid()}"
