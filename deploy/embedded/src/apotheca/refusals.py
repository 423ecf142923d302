"""Why Apotheca cannot run here, in one sentence for the person at the terminal."""

import errno

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_MACHINE = 3


class CannotRun(Exception):
    """One sentence; `exit_code` is EXIT_MACHINE when the machine lacks something, else EXIT_FAILED."""

    def __init__(self, sentence: str, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def of_os_error(error: OSError) -> CannotRun:
    """Translate what the operating system refused."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return CannotRun("The disk is full: make room, or choose another place with --folder.", EXIT_MACHINE)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        place = error.filename or "the folder"
        return CannotRun(f"{place} may not be written: choose another place with --folder.", EXIT_MACHINE)
    return CannotRun(f"The operating system refused: {error.strerror or error}.", EXIT_MACHINE)
