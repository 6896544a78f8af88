"""The errors a user may see: the class says who must act."""


class CordilleraError(Exception):
    """Something failed. `hint` is an instruction, never an apology; `where` is file:line:column."""

    exit_status = 1

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.hint, self.where = hint, where


class CommandFailed(CordilleraError):
    """A program that Cordillera ran exited with a failure, or is not installed."""


class ManifestError(CordilleraError):
    """What the user wrote cannot be: the user edits it. Nothing was touched."""

    exit_status = 2


class Refused(CordilleraError):
    """We could, but it would lose data or drop traffic: a person decides."""

    exit_status = 3


class NotReady(CordilleraError):
    """Not yet: the same call may succeed later."""

    exit_status = 75
