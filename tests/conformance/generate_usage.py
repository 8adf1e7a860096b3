"""Each bit that a command does not use is INVALID FIELD IN CDB, with a pointer to the bit.

Which those are the target says itself: the CDB usage data of REPORT SUPPORTED OPERATION CODES (SPC-5
s6.35.3). One case a command, one line a bit.
"""

HEAD = "disk d ram 16MiB\n"

VARIABLE_LENGTH = 0x7F
INVALID_FIELD = "=> ILLEGAL REQUEST 24/00"


def commands(ask):
    """(operation code, service action or None) of each command."""
    answer = ask("A: REPORT SUPPORTED OPERATION CODES alloc=65535")
    for at in range(4, len(answer), 8):
        has_action = answer[at + 5] & 1
        yield answer[at], int.from_bytes(answer[at + 2 : at + 4], "big") if has_action else None


def usage_of(ask, opcode: int, action) -> bytes:
    wanted = "options=1" if action is None else f"options=2 action={action}"
    answer = ask(f"A: REPORT SUPPORTED OPERATION CODES {wanted} opcode={opcode}")
    return answer[4 : 4 + int.from_bytes(answer[2:4], "big")]


def field_of(usage: bytes, byte: int, bit: int) -> str:
    """The pointer to a field names its left-most bit (SPC-5 s4.4.2.4.2): RDPROTECT and the like."""
    flags = 10 if usage[0] == VARIABLE_LENGTH else 1
    if byte == flags and bit >= 5 and not usage[byte] & 0xE0:
        bit = 7
    return f"field=cdb[{byte}].{bit}"


def cases(ask):
    for opcode, action in commands(ask):
        usage = usage_of(ask, opcode, action)
        plain = bytearray(len(usage))
        plain[0] = opcode
        if opcode == VARIABLE_LENGTH:
            plain[7] = len(usage) - 8
            plain[8:10] = action.to_bytes(2, "big")
        elif action is not None:
            plain[1] = action
        name = f"{opcode:02X}" + ("" if action is None else f"/{action:02X}")
        yield f"case every bit that {name} does not read is refused, and pointed at"
        for byte in range(1, len(usage)):
            if opcode == VARIABLE_LENGTH and byte in (7, 8, 9):
                continue
            for bit in range(8):
                in_action = byte == 1 and bit < 5 and action is not None and opcode != VARIABLE_LENGTH
                if usage[byte] & 1 << bit or in_action:
                    continue
                cdb = bytearray(plain)
                cdb[byte] |= 1 << bit
                yield f"A: {cdb.hex(' ')} {INVALID_FIELD} {field_of(usage, byte, bit)}"
