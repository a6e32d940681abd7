# SPDX-License-Identifier: MIT
"""canary - looks for key bytes where none may be

A secret is looked for by pieces, since what frees memory writes over its first bytes: three of its
raw bytes, of its hexadecimal digits in both cases, and of its base64 at each of the three places
where it can start in a longer text. A piece has at least 10 bytes: none is met by chance.
"""
import base64
import errno
import os
import re
import struct

PAGE = os.sysconf("SC_PAGE_SIZE")
CHUNK = 1 << 22
PIECE_MAX = 16  # bytes of a needle that are looked for at a time


class Found(AssertionError):
    """Key bytes stand where none may."""


class Needle:
    """All that one secret could show up as."""

    def __init__(self, name, secret):
        self.name = name
        self.pieces = []
        for form, text in (("raw", secret), ("hex", secret.hex().encode()),
                           ("HEX", secret.hex().upper().encode())):
            self._add(form, text)
        for before in range(3):
            text = base64.b64encode(bytes(before) + secret)
            # The characters at the ends carry bits of the neighbours too.
            self._add("base64", text[-(-before * 8 // 6):-4])

    def _add(self, form, text):
        size = 12 if form == "raw" else PIECE_MAX
        for at in (0, (len(text) - size) // 2, len(text) - size):
            self.pieces.append((form, text[at:at + size]))

    def found_in(self, data):
        """The forms of the secret of which DATA has a piece."""
        return sorted({form for form, piece in self.pieces if piece in data})


def look(needles, data, where):
    """Lines that say what of NEEDLES stands in DATA."""
    return ["%s: %s of %s" % (where, form, needle.name)
            for needle in needles for form in needle.found_in(data)]


class Region:
    """A line of /proc/PID/maps with its flags from smaps."""

    def __init__(self, line):
        fields = line.split(maxsplit=5)
        self.start, self.end = (int(part, 16) for part in fields[0].split("-"))
        self.mode = fields[1]
        self.inode = int(fields[4])
        self.path = fields[5].strip() if len(fields) > 5 else ""
        self.flags = set()

    def __str__(self):
        return "%x-%x %s %s" % (self.start, self.end, self.mode, self.path)

    @property
    def is_arena(self):
        """The locked arena: memfd_secret, or memory that is left out of dumps and forks."""
        return "secretmem" in self.path or {"dd", "dc", "lo"} <= self.flags

    @property
    def is_program(self):
        """A file's bytes, which nobody can have written to."""
        return self.inode != 0 and "w" not in self.mode and "secretmem" not in self.path


def regions(pid):
    found = []
    with open("/proc/%d/smaps" % pid, encoding="utf-8", errors="replace") as file:
        for line in file:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                found.append(Region(line))
            elif line.startswith("VmFlags:"):
                found[-1].flags = set(line.split()[1:])
    return found


def present(pagemap, region):
    """Runs (start, end) of the region's pages that hold something: a thread's stack is megabytes
    of nothing, and reading it would make the process have all of it."""
    n = (region.end - region.start) // PAGE
    entries = os.pread(pagemap, n * 8, region.start // PAGE * 8)
    if len(entries) != n * 8:
        yield region.start, region.end
        return
    start = None
    for i, (entry,) in enumerate(struct.iter_unpack("=Q", entries)):
        here = entry >> 62 != 0  # in memory or swapped out
        if here and start is None:
            start = region.start + i * PAGE
        elif not here and start is not None:
            yield start, region.start + i * PAGE
            start = None
    if start is not None:
        yield start, region.end


class Unreadable(Exception):
    """This user may not look into that process."""


class Memory:
    """What was seen of one process."""

    def __init__(self):
        self.ordinary = []  # lines of look(), outside of the arena
        self.arena = []     # likewise, inside of it
        self.arenas = 0     # how many there are
        self.secret = 0     # bytes that nobody but the process can read
        self.bytes = 0      # looked at


def scan_process(pid, needles):
    """Looks through a process's memory."""
    seen = Memory()
    try:
        mem = os.open("/proc/%d/mem" % pid, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError as error:
        raise Unreadable("may not read the memory of another process") from error
    pagemap = os.open("/proc/%d/pagemap" % pid, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for region in regions(pid):
            if region.path in ("[vvar]", "[vsyscall]", "[vvar_vclock]") or region.is_program:
                continue
            seen.arenas += region.is_arena
            runs = ([(region.start, region.end)] if "secretmem" in region.path
                    else present(pagemap, region))
            for start, end in runs:
                _scan_run(mem, start, end, region, needles, pid, seen)
    finally:
        os.close(mem)
        os.close(pagemap)
    return seen


def _scan_run(mem, start, end, region, needles, pid, seen):
    before = b""
    for at in range(start, end, CHUNK):
        size = min(CHUNK, end - at)
        try:
            data = os.pread(mem, size, at)
        except OSError as error:
            # memfd_secret: not even the kernel has it mapped.
            if error.errno not in (errno.EIO, errno.EFAULT):
                raise
            seen.secret += size
            before = b""
            continue
        seen.bytes += len(data)
        lines = look(needles, before + data, "memory %s" % region)
        (seen.arena if region.is_arena else seen.ordinary).extend(
            "process %d, %s" % (pid, line) for line in lines)
        before = data[-64:]


def scan_files(top, needles, but=()):
    """Lines for every file below TOP that has a piece of NEEDLES, without the folders BUT."""
    lines = []
    n = 0
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in but]
        for name in files:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                lines += look(needles, file.read(), path)
            lines += look(needles, name.encode(errors="surrogateescape"), path + " (its name)")
            n += 1
    return lines, n
