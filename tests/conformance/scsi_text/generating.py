"""Common parts of the case generators."""

from . import commands


def offered(ask, nexus: str, text: str) -> bool:
    """Whether REPORT SUPPORTED OPERATION CODES reports the command of a line."""
    cdb = commands.build(commands.find(text.split())[0], {}, 0)
    action = int.from_bytes(cdb[8:10], "big") if cdb[0] == commands.VARIABLE_LENGTH else cdb[1] & 31
    answer = ask(f"{nexus}: REPORT SUPPORTED OPERATION CODES options=3 opcode={cdb[0]} action={action}")
    return answer[1] & 7 == 3
