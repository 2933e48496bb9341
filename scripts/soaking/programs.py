# SPDX-License-Identifier: MIT
"""What has to be installed on a board, and in which state: a model beside the real one, and the actions on both.

The model knows for each name what may be there: one state of a program after an undisturbed command, several after one of
which nobody knows whether the board has carried it out. Each look at the board (`list`, `info`) leaves those that it agrees
with; when none is left, a program is lost, has come back, or is in a state in which it must not be.
"""
import dataclasses
import re

from .board import Closed, Failed, Interrupted, Noise, Quiet, Restarted, Unplugged

NAMES = [f"p{i}" for i in range(11)]  # more than there may be domains
DOMAINS = 8
GOOD_RUNS = 64            # confirm a successor (docs/installed.md)
UNHEALTHY = 3             # boots in a row: a safe boot
RAM_SCARCE = 24 * 1024    # with a larger piece left, no program of ours lacks RAM
GRANT_AND_RECORD = 256    # what a program takes in the store besides its blob


LEDS = frozenset({"PD12", "PD13", "PD14", "PD15"})


@dataclasses.dataclass(frozen=True)
class Kind:
    source: str
    options: tuple = ((), ("-O0",), ("-O1", "--with-bytecode"))  # of `compile`: each makes another blob
    good: bool = True    # it has no faults
    called: bool = False  # it runs when somebody calls it only
    grants: tuple = ()   # besides the one that it asks for
    outputs: frozenset = frozenset()  # of each grant: they have one owner


KINDS = [
    Kind("tests/soak/keeper.bpf.c", grants=("budget=1ms/20ms ram=6K priority=5", "budget=2ms/10ms ram=4K policy=stop")),
    Kind("tests/soak/answer.bpf.c", called=True, grants=("budget=2ms/10ms ram=3K priority=9",)),
    Kind("tests/soak/bulk.bpf.c", outputs=frozenset({"PD13"})),
    Kind("tests/soak/hog.bpf.c", good=False, outputs=frozenset({"PD14"}),
         grants=tuple(f"gpio:PD14=out budget=100us/10ms ram=4K policy={p}" for p in ("continue", "stop", "restart:2/1s"))),
    Kind("tests/demo/hostile.bpf.c", options=(("--unverified",), ("--unverified", "-O0")), good=False, outputs=frozenset({"PD14", "PE7"}),
         grants=tuple(f"gpio:PD14=out budget=1ms/10ms ram=2K policy={p}" for p in ("continue", "restart:9/1s"))),
    Kind("programs/blink.bpf.c", outputs=LEDS),
    Kind("programs/event_log.bpf.c"),
    Kind("programs/pid_motor.bpf.c", outputs=frozenset({"motor"})),
    Kind("programs/uart_frame.bpf.c", outputs=LEDS | {"motor"}),
]


@dataclasses.dataclass(frozen=True)
class Blob:
    kind: Kind
    path: str
    size: int
    id: str
    entries: int
    maps: int


@dataclasses.dataclass(frozen=True)
class Program:
    """One state in which a name may be."""
    blob: Blob
    grant: str             # as text, of which the board's text begins with the same words; "": what it asks for
    enabled: bool
    ram: bool
    old: "Program" = None  # what a rollback would bring
    kept: bytes = None     # what keeper's map must hold; None: nobody knows
    calls: int = 0         # upper bound of its runs, if it is one that is called

    def is_good(self):
        return self.blob.kind.good

    def with_fresh_maps(self):
        return dataclasses.replace(self, kept=None)

    def without_old(self):
        return dataclasses.replace(self, old=None)

    def rolled_back(self):
        return dataclasses.replace(self.old, enabled=self.enabled, old=None, kept=None, calls=0)

    def may_have_become(self):
        """By itself: the predecessor of one that has faults comes back."""
        return [self, self.rolled_back()] if self.old and self.enabled and not self.is_good() else [self]


class Programs:
    """The model. It outlives rounds, as the flash does."""

    def __init__(self, compile_blob):
        self.blobs = {kind: [compile_blob(kind, options) for options in kind.options] for kind in KINDS}
        self.names = {}          # what may be there, by name; absent: nothing
        self.uploading = None    # a name whose upload may be open
        self.safe = False
        self.unhealthy = 0       # boots since the last that was meant, at most
        self.room = None         # what `list` said last
        self.empty = None        # what it says when nothing is there
        self.checks = 0
        self.refusals = {}       # how often, by reason
        self.disturbed = {}      # commands, by what has disturbed them
        self.most = 0            # programs at one time
        self.refused = set()     # names that have been; they may say so until they are enabled
        self.lacking = set()     # those whose outputs another one had: nobody tries again when that one is gone

    # ---------------------------------------------------------------------------------------- the model

    def at(self, name):
        return self.names.get(name, [None])

    def set(self, name, states):
        states = list(dict.fromkeys(states))
        if states == [None]:
            self.names.pop(name, None)
        else:
            self.names[name] = states

    def change_all(self, function):
        for name in list(self.names):
            self.set(name, [function(s) for s in self.names[name]])

    def states(self):
        return [s for states in self.names.values() for s in states if s]

    def is_idle(self):
        """Nothing runs, as far as one can know."""
        return not any(s.enabled for s in self.states())

    def may_be_crowded(self):
        return sum(any(s and s.enabled for s in states) for states in self.names.values()) >= DOMAINS

    def restarted(self, meant):
        """Copies in RAM are gone; a map begins with zeros."""
        self.unhealthy = 0 if meant else self.unhealthy + 1
        self.uploading = None
        self.change_all(lambda s: None if s is None or s.ram else s.with_fresh_maps())

    def powered_up(self):
        self.restarted(True)

    # ------------------------------------------------------------------------------------------ looking

    def look(self, board, careful):
        """Returns the names that have a domain."""
        listed = board.client("list").json
        there = {p["name"]: p for p in listed["programs"]}
        self.room = listed["room"]
        self.lacking = {name for name, states in self.names.items()
                        if name in self.lacking or self.may_lack(name, [s.blob for s in states if s])}
        for name in set(there) | set(self.names):
            states = [t for s in self.at(name) for t in (s.may_have_become() if s else [s])]
            info = None
            if name in there and (careful or len(states) > 1):
                info = board.client("info", name).json
                there[name] = info["program"]  # it may just have gone back
            matching = [s for s in states if self.agrees(s, there.get(name), info)]
            if not matching:
                raise Failed(f"{name} is {there.get(name)}, {info}; it should be one of {states}")
            self.set(name, self.told_apart(matching, info))
        self.look_at_what_is_left(board)
        self.checks += 1
        self.most = max(self.most, len(there))
        return {name for name, p in there.items() if p["state"] in ("running", "stopped")}

    @staticmethod
    def told_apart(states, info):
        if info and info["can_roll_back"] is False:
            return [s and s.without_old() for s in states]
        return states

    def agrees(self, state, listed, info):
        if state is None or listed is None:
            return state is None and listed is None
        blob = state.blob
        return (listed["size"], listed["entries"], listed["maps"]) == (blob.size, blob.entries, blob.maps) and \
            (listed["enabled"], listed["ram"]) == (state.enabled, state.ram) and \
            listed["state"] in self.possible(listed["name"], state) and \
            (not state.is_good() or listed["faults"] == 0) and \
            (info is None or info["id"] == blob.id and self.has_grant(info["grant"], state) and
             (not info["can_roll_back"] or state.old is not None))

    def possible(self, name, state):
        if not state.enabled:
            return ["disabled"] + ["refused"] * (name in self.refused)
        return ["running"] + ["disabled"] * self.safe + ["stopped"] * (not state.is_good()) + \
            ["refused"] * (self.may_be_crowded() or self.room["ram"] < RAM_SCARCE or name in self.lacking)

    def may_lack(self, name, blobs):
        """Somebody else may have an output of theirs."""
        outputs = frozenset().union(*(blob.kind.outputs for blob in blobs))
        return any(s and s.enabled and (s.blob.kind.outputs | (s.old.blob.kind.outputs if s.old else frozenset())) & outputs
                   for other, states in self.names.items() if other != name for s in states)

    @staticmethod
    def has_grant(text, state):
        return set(state.grant.split()) <= set(text.split())

    def look_at_what_is_left(self, board):
        """Without programs all RAM is there; compacted, the store is as it was."""
        if self.names or self.uploading:
            return
        used = int(re.search(r"RAM for \d+, (\d+) in use", board.command("bpf list"))[1])
        left = (self.room["compacted"], self.room["ram"], used)
        self.empty = self.empty or left
        if left != self.empty or used:
            raise Failed(f"nothing is installed: {left} bytes of store and RAM, and in use; it was {self.empty}")

    def boot(self, board):
        """Which kind of boot it was. The model has been told of it."""
        text = board.command("bpf list")
        self.safe = "safe boot" in text
        if self.safe and "the button was held" not in text and self.unhealthy < UNHEALTHY:
            raise Failed("a safe boot that nobody has asked for")
        self.look(board, True)

    # ---------------------------------------------------------------------------------------- refusals

    def legitimate(self, answer, name, blob=None, ram=False):
        """A refusal must have its reason. The room is that before."""
        states = self.at(name)
        reasons = {
            "the store is full": blob and self.room["store"] < blob.size + GRANT_AND_RECORD,
            "there is no RAM left": self.room["ram"] < RAM_SCARCE,
            "there are as many as there may be": self.may_be_crowded(),
            "another program has one of its outputs": self.may_lack(
                name, ([blob] if blob else []) + [b.blob for s in states if s for b in (s, s.old) if b]),
            "it is in use": self.uploading is not None,
            "there is one of that name already": ram and any(s and not s.ram for s in states),
            "there is no such thing": None in states,
            "there is no program": None in states,
            "there is no predecessor": any(s is None or s.old is None or not (s.blob.kind.called and s.calls < GOOD_RUNS)
                                           for s in states),
            "the program is not enabled": any(s and not s.enabled for s in states) or self.safe,
            "the program has been stopped": any(s and not s.is_good() for s in states),
            "the run did not come to its end": any(s and not s.is_good() for s in states),
        }
        for text, possible in reasons.items():
            if text in answer.text and possible:
                self.refused.add(name)
                self.refusals[text] = self.refusals.get(text, 0) + 1
                return
        raise Failed(f"{answer}: refused; may be there: {states}, {self.room}")


# ---------------------------------------------------------------------------------------------------
# Actions, in the way of those of scripts/soak: of board.programs, the model, and the real one. Each returns whether the
# board has restarted meanwhile.

DISTURBANCES = [(20, Quiet), (6, Noise), (4, Closed), (2, Restarted), (1, Unplugged)]


def disturbance(rng):
    kind = rng.choices([k for _, k in DISTURBANCES], [w for w, _ in DISTURBANCES])[0]
    return Quiet() if kind is Quiet else kind(rng)


def tell(board, during, name, function, words, **about):
    """A command about a name, and what it makes of each state, on both. Returns the client's answer."""
    model = board.programs
    before = [t for s in model.at(name) for t in (s.may_have_become() if s else [s])]  # since the last look
    either = [t for s in before for t in (s, function(s))]
    try:
        answer = board.client(*words, during=during)
    except Exception:  # the board is gone
        model.set(name, either)
        raise
    refused = answer.status == 1 and not isinstance(during, Interrupted)
    if refused:
        model.legitimate(answer, name, **about)
    else:
        model.set(name, either if answer.status else [function(s) for s in before])
    if words[0] == "install":
        model.uploading = None if refused or not answer.status else name
    return answer


def carry_out(board, rng, name, function, words, **about):
    during = disturbance(rng)
    if type(during) is not Quiet:
        kind = type(during).__name__.lower()
        board.programs.disturbed[kind] = board.programs.disturbed.get(kind, 0) + 1
    tell(board, during, name, function, words, **about)
    return settle(board, during)


def settle(board, during):
    if not isinstance(during, Restarted) or not during.done:
        return False
    board.until(r"shell: `help` lists(.|\n)*> ")
    board.programs.restarted(True)
    return True


def some_name(board, rng):
    there = sorted(board.programs.names)
    return rng.choice(there) if there and rng.randrange(8) else rng.choice(NAMES)


def installed(state, new, loaded):
    """What `new` becomes where `state` is."""
    old = state.without_old() if state and not state.ram and not new.ram else None
    goes_on = state and state.enabled and loaded and (state.blob.kind, new.blob.kind) == (KEEPER, KEEPER)
    return dataclasses.replace(new, enabled=new.enabled or bool(state and state.enabled), old=old,
                               kept=state.kept if goes_on else None)


def install(board, rng, name=None, kind=None):
    name, kind = name or some_name(board, rng), kind or rng.choice(KINDS)
    ram, enabled, grant = rng.randrange(4) == 0, rng.randrange(6) != 0, rng.choice(("",) + kind.grants)
    blob, loaded = rng.choice(board.programs.blobs[kind]), not board.programs.safe
    new = Program(blob, grant, enabled, ram)
    words = ["install", blob.path, "--name", name] + (["--grant", grant] if grant else ["--yes"]) + \
        ["--ram"] * ram + ["--disabled"] * (not enabled)
    return carry_out(board, rng, name, lambda s: installed(s, new, loaded), words, blob=blob, ram=ram)


def replace(board, rng):
    """By its own kind, so that maps go over."""
    name = some_name(board, rng)
    state = board.programs.at(name)[0]
    return install(board, rng, name, state and state.blob.kind)


def remove(board, rng):
    name = some_name(board, rng)
    return carry_out(board, rng, name, lambda s: None, ["remove", name])


def enable(board, rng):
    name, safe = some_name(board, rng), board.programs.safe
    return carry_out(board, rng, name, lambda s: s and dataclasses.replace(
        s, enabled=True, kept=s.kept if s.enabled and not safe else None), ["enable", name])


def disable(board, rng):
    name = some_name(board, rng)
    return carry_out(board, rng, name, lambda s: s and dataclasses.replace(s, enabled=False, kept=None), ["disable", name])


def grant(board, rng):
    name = some_name(board, rng)
    grants = [s.blob.kind.grants for s in board.programs.at(name) if s and s.blob.kind.grants]
    if not grants:
        return False
    text = rng.choice(grants[0])
    return carry_out(board, rng, name, lambda s: s and dataclasses.replace(s, grant=text), ["grant", name, text])


def rollback(board, rng):
    name = some_name(board, rng)
    return carry_out(board, rng, name, lambda s: s.rolled_back() if s and s.old else s, ["rollback", name])


def compact(board, rng):
    answer = board.client("compact")
    if answer.status:
        board.programs.legitimate(answer, "")
    return False


def call(board, rng):
    name, data = some_name(board, rng), bytes(rng.randrange(256) for _ in range(rng.randrange(1, 100)))
    called = {s.blob.kind.called for s in board.programs.at(name) if s}
    answer = board.client("call", name, *(["0", data.hex()] if called == {True} else []))
    if answer.status:
        board.programs.legitimate(answer, name)
    elif called == {True} and int(answer.json["result"], 16) != 1000 + sum(data):
        raise Failed(f"{answer}: {data.hex()}")
    board.programs.set(name, [s and dataclasses.replace(s, calls=s.calls + 1) for s in board.programs.at(name)])
    return False


def some_keeper(board, rng):
    names = [n for n, states in sorted(board.programs.names.items()) if all(s and s.blob.kind is KEEPER for s in states)]
    return rng.choice(names) if names else None


def map_set(board, rng):
    """What keeper is to keep."""
    name, words = some_keeper(board, rng), [rng.randrange(2 ** 32) for _ in range(4)]
    if not name:
        return False
    kept = b"".join(w.to_bytes(4, "little") for w in words)
    return carry_out(board, rng, name, lambda s: s and dataclasses.replace(s, kept=kept),
                     ["map", "set", name, "kept", "0", ",".join(map(str, words))])


def map_get(board, rng):
    name = some_keeper(board, rng)
    if not name:
        return False
    answer = board.client("map", "get", name, "kept", "0")
    if answer.status:
        board.programs.legitimate(answer, name)
        return False
    value = bytes.fromhex(answer.json["entries"][0]["value"])
    matching = [s for s in board.programs.at(name) if s and s.kept in (None, value)]
    if not matching:
        raise Failed(f"{name} has kept {value.hex()}; it should be one of {board.programs.at(name)}")
    board.programs.set(name, [dataclasses.replace(s, kept=value) for s in matching])
    return False


def question(board, rng):
    """Those that change nothing."""
    name = some_name(board, rng)
    words = rng.choice([["info", name], ["stats", name], ["stats"], ["grant", name], ["map", name], ["log"], ["list"],
                        ["doctor"], ["shell", "mem"], ["ring", name, "0"]])
    during = rng.choice([Quiet(), Quiet(), Noise(rng)])
    answer = board.client(*words, during=during)
    if answer.status == 1 and words[0] not in ("doctor", "ring"):  # one of them stopped, not a ring
        board.programs.legitimate(answer, name)
    return False


def reset(board, rng):
    if board.client("reset").status:
        raise Failed("no reset")
    board.until(r"shell: `help` lists(.|\n)*> ")
    board.programs.restarted(True)
    return True


def fill(board, rng):
    """Installs large ones until there is no more room, and gets it back."""
    model, name = board.programs, some_name(board, rng)
    blob = model.blobs[BULK][0]
    for _ in range(16):
        model.look(board, False)
        words = ["install", blob.path, "--name", name, "--yes", "--disabled"]
        if tell(board, Quiet(), name, lambda s: installed(s, Program(blob, "", False, False), True), words, blob=blob).status:
            break
    return compact(board, rng)


def remove_all(board, rng):
    """Down to nothing: look_at_what_is_left() is what it is for."""
    model = board.programs
    if model.uploading:  # another one ends it
        last = Program(model.blobs[ANSWER][0], "", True, True)
        tell(board, Quiet(), "last", lambda s: last, ["install", last.blob.path, "--name", "last", "--yes", "--ram"])
    for name in list(model.names):
        tell(board, Quiet(), name, lambda s: None, ["remove", name])
    if board.client("compact").status:
        raise Failed("no compaction of an empty store")
    return False


KEEPER, ANSWER, BULK = KINDS[:3]
ACTIONS = [
    (16, install), (8, replace), (4, remove), (4, enable), (4, disable), (4, grant), (4, rollback), (2, compact),
    (6, call), (4, map_set), (6, map_get), (6, question), (1, reset), (1, fill), (1, remove_all),
]
