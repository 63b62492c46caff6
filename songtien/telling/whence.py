"""Where an error was raised, without what it says: that may hold an address. Pure."""


def where(error: BaseException) -> str:
    """The name of its type, with the file and the line of the program."""
    name = type(error).__name__
    at = error.__traceback__
    if at is None:
        return name
    while at.tb_next is not None:
        at = at.tb_next
    file = at.tb_frame.f_code.co_filename.rpartition("/")[2]
    return f"{name} in {file}:{at.tb_lineno}"
