# SPDX-License-Identifier: MIT
"""The virtual board of a soak: its console, and the client's way to it.

The client is the real one. It is given a TCP port of this script, which passes on what goes over the line and may put
noise between it, cut it off, or cut the board's power.
"""
import json
import os
import re
import selectors
import socket
import subprocess
import tempfile
import time

LIMIT = 180  # seconds for an answer; a busy PC takes its time


class Failed(Exception):
    pass


class PowerCut(Exception):
    pass


# ---------------------------------------------------------------------------------------------------
# What happens to the line meanwhile. pass_on(): what becomes of that which the client has sent.

class Quiet:
    timeout = 60     # seconds that the client waits
    certain = True   # what the client says is what happened

    def pass_on(self, board, data):
        return data


class Noise(Quiet):
    """Between packets, and now and then in one, which is lost then."""
    timeout, certain = 2, False
    BYTES = b"\r\n\t \x1b[\x7f\x08\x03\xff\x80" + bytes(range(2, 256))

    def __init__(self, rng):
        self.rng = rng

    @staticmethod
    def some(rng, count):
        return bytes(rng.choice(Noise.BYTES) for _ in range(count))

    def pass_on(self, board, data):
        if self.rng.randrange(12) == 0:
            at = self.rng.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << self.rng.randrange(8)]) + data[at + 1:]
        return self.some(self.rng, self.rng.choice([0, 0, 1, 10, 100])) + data


class Interrupted(Quiet):
    """After so many bytes the line is closed, the board restarts, or its power goes."""
    timeout, certain = 2, False

    def __init__(self, rng):
        self.left = rng.choice([0, 100, 1500, 3000, 6000, 12000]) + rng.randrange(1500)

    def pass_on(self, board, data):
        before, self.left = self.left, self.left - len(data)
        return self.interrupt(board, data[:before]) if before >= 0 > self.left else data


class Closed(Interrupted):
    def interrupt(self, board, data):
        board.type(data)
        return None


class Restarted(Interrupted):
    done = False

    def interrupt(self, board, data):
        self.done = True
        return data + b"\n\x03reset\r"


class Unplugged(Interrupted):
    def interrupt(self, board, data):
        board.type(data)
        board.child.kill()
        raise PowerCut


# ---------------------------------------------------------------------------------------------------

class Answer:
    """Of the client: exit status, the JSON that it printed, its messages in one text."""

    def __init__(self, words, status, text):
        self.words, self.status = words, status
        try:
            self.json = json.loads(text)
        except ValueError:
            self.json = {}
        self.text = " ".join(m.get("message", "") for m in self.json.get("messages", []))

    def __str__(self):
        return f"{' '.join(self.words)}: exit status {self.status}, {self.text or self.json}"


class Board:
    """The emulator's process, and what it has printed."""

    def __init__(self, command, may_end, show, tool):
        self.errors = tempfile.TemporaryFile()
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        self.may_end, self.show, self.tool = may_end, show, tool
        self.seen = self.tail = ""
        self.raw = b""   # of it, what came last
        self.faults = 0  # reports
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.child.stdout, selectors.EVENT_READ)
        self.server = socket.create_server(("127.0.0.1", 0))

    def close(self):
        self.child.kill()
        self.child.wait()
        self.server.close()
        self.selector.close()

    def ended(self):
        if self.child.wait(LIMIT) == 0 and self.may_end:
            raise PowerCut
        raise Failed(f"the emulator has ended: {self.error_text()}")

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def type(self, data):
        try:
            self.child.stdin.write(data)
            self.child.stdin.flush()
        except BrokenPipeError:
            self.ended()

    def note(self, text):
        self.tail = (self.tail + text)[-3000:]
        if self.show:
            print(text, end="", flush=True)

    def take(self):
        """What there is to be read; at least something is."""
        self.raw = self.child.stdout.read1(65536)
        if not self.raw:
            self.ended()
        piece = self.raw.decode(errors="replace").replace("\r", "")
        self.seen += piece
        self.note(re.sub(r"[\x04\x06][\t\x14][A-Za-z0-9+/=]*\n", "", piece))  # not frames

    def read(self):
        if self.selector.select(timeout=0.2):
            self.take()

    def count_faults(self, text):
        self.faults += len(re.findall(r"^fault: ", text, re.M))

    def until(self, pattern):
        """All up to the end of what matches; counts the reports of faults in it."""
        end = time.monotonic() + LIMIT
        while not (found := re.search(pattern, self.seen, re.M)):
            if time.monotonic() > end:
                raise Failed(f"no {pattern!r}")
            self.read()
        text, self.seen = self.seen[:found.end()], self.seen[found.end():]
        self.count_faults(text)
        return text

    def command(self, line):
        """What the shell prints for it. A first Ctrl-C leaves whatever stands in the line."""
        self.type(b"\x03" + line.encode() + b"\r")
        self.until(r"\^C\n> " + re.escape(line) + r"\n")
        return self.until(r"^> ")[:-2]

    # ------------------------------------------------------------------------------------------- client

    def run_client(self, words, disturbance):
        output = tempfile.TemporaryFile()
        port = f"tcp:127.0.0.1:{self.server.getsockname()[1]}"
        client = subprocess.Popen([self.tool, *words, "--json", "--timeout", str(disturbance.timeout)],
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                  env={**os.environ, "BPF2THUMB_PORT": port})
        try:
            Line(self, client, disturbance).carry()
        finally:
            if client.poll() is None:
                client.kill()
            client.wait()
        output.seek(0)
        return Answer(words, client.returncode, output.read().decode(errors="replace"))

    def client(self, *words, during=Quiet()):
        """bpf2thumb with these words. Where nothing has disturbed it, it must have had an answer."""
        self.note(f"[{' '.join(words)}, {type(during).__name__.lower()}]\n")
        answer = self.run_client(list(words), during)
        self.note(f"[{answer}]\n")
        if answer.status not in (0, 1) and during.certain:
            raise Failed(str(answer))
        if not during.certain:  # half a packet may stand in the line
            self.type(b"\n\x15\x03")
        return answer


class Line:
    """Between one run of the client and the board."""

    def __init__(self, board, client, disturbance):
        self.board, self.client, self.disturbance = board, client, disturbance
        self.connection = None
        self.selector = selectors.DefaultSelector()
        self.selector.register(board.child.stdout, selectors.EVENT_READ, self.from_board)
        self.selector.register(board.server, selectors.EVENT_READ, self.accept)

    def accept(self):
        self.connection, _ = self.board.server.accept()
        self.selector.register(self.connection, selectors.EVENT_READ, self.from_client)

    def hang_up(self):
        if self.connection:
            self.selector.unregister(self.connection)
            self.connection.close()
            self.connection = None

    def from_board(self):
        self.board.take()
        try:
            if self.connection:
                self.connection.sendall(self.board.raw)
        except OSError:
            self.hang_up()

    def from_client(self):
        try:
            data = self.connection.recv(65536)
        except OSError:
            data = b""
        if data:
            data = self.disturbance.pass_on(self.board, data)
        if data:
            self.board.type(data)
        else:
            self.hang_up()

    def carry(self):
        end = time.monotonic() + LIMIT
        try:
            while self.client.poll() is None:
                if time.monotonic() > end:
                    raise Failed("the client does not come to its end")
                for key, _ in self.selector.select(timeout=0.01):
                    key.data()
        finally:
            self.hang_up()
            self.selector.close()
