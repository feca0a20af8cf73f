"""别人的评分格在这里再判一遍：判分的进程从来没有跑过学生代码，只收学生交出来的值。

分出一个进程要几十毫秒，所以一份判完，忘掉它，留给下一份用。留用的进程只能附和：它给的分和学生自己的
程序里不一样，``grade`` 就换一个全新的，把这份作业从头再批一遍，以新的为准。学生交来的文件要放进文件夹的，
交来的值里有库的函数和模块的（它们能改动判分的程序），都不用留用的。
"""

import json
import time

from autograder.engine import marks, outputs, pool

USES = 200  # 一个进程最多判这么多份
_LOADED = (b'"t": "reference"', b'"t": "module"')


class Judge:
    """Judges the foreign test cells of one submission.

    ``files``: what its folder holds; ``common``: the folder is the same for the whole class, so that a kept
    process will do. ``kept``: a kept one is at work; ``usual``: {name: the library function or module that
    was handed over under this name}.
    """

    def __init__(self, warm: pool.Warm, plan, files: dict, common: bool, timeout: float):
        self.warm, self.plan, self.files, self.timeout = warm, plan, files, timeout
        self.common = common and plan.usual is not None
        self.usual, self.kept, self._pure, self._child, self._serving = {}, False, True, None, False

    def prepare(self, source: str) -> None:
        """Run a cell of the teacher's own (locked), for the helpers that it defines."""
        try:
            self._ready().ask({"do": "run", "source": source, "quiet": True}, self.timeout)
        except pool.Died:
            self._end()

    def mark(self, student: pool.Child, name: str) -> float | None:
        """Points of a test cell as judged here; None if its values cannot be handed over."""
        wanted = self.plan.foreign[name]
        offered = student.ask({"do": "offer", "names": wanted}, self.timeout).get("values")
        offered = offered if isinstance(offered, dict) else {}
        try:
            return self._judged(student, self.plan.source.cells[name],
                                {n: v for n, v in offered.items() if n in wanted})
        except pool.Died:
            self._end()
            return None
        finally:
            if self._serving:
                self._serving = False
                student.ask({"do": "end"}, self.timeout)

    def _judged(self, student, cell, offered) -> float | None:
        message = self._pack({"do": "take", "values": offered}, offered)
        child = self._ready()
        absent = child.ask(message, self.timeout).get("absent")
        child.send({"do": "run", "source": cell.source, "quiet": True})
        deadline = time.monotonic() + self.timeout
        while (reply := child.receive(deadline - time.monotonic())).get("call"):
            function = offered.get(reply.get("name"))
            pure = isinstance(function, dict) and function.get("pure") is True
            if not self._serving and not pure:  # 学生的函数在一个分身里答话，他自己的程序不受影响
                self._serving = bool(student.ask({"do": "serve"}, self.timeout).get("served"))
            said = student.ask(reply, max(0.1, deadline - time.monotonic()))
            child.send(self._pack(said))
        self._pure &= not child.late
        if reply.get("unfit"):
            return None
        points = marks.of_outputs(outputs.clean(reply.get("outputs")), float(cell.points or 0)).points
        return None if absent and not points else points

    def _pack(self, message, values=None) -> bytes:
        """The message as bytes; one that carries functions or modules ends the use of a kept process."""
        data = json.dumps(message).encode()
        if any(word in data for word in _LOADED):
            loaded = {n: v for n, v in (values or {"": message}).items()
                      if any(word in json.dumps(v).encode() for word in _LOADED)}
            self.usual |= loaded
            if any(v != (self.plan.usual or {}).get(n) for n, v in loaded.items()):
                self._pure = False
                if self.kept:
                    raise pool.Died("loaded")
        return data

    def _ready(self) -> pool.Child:
        if self._child is None:
            self._child = self._from_before() or self.warm.open(self.files, judge=True)
        return self._child

    def _from_before(self) -> pool.Child | None:
        while self.common and self._pure and (child := self.warm.idle()):
            try:
                child.ask({"do": "forget"}, self.timeout)
            except pool.Died:
                child.close()
                continue
            self.kept = True
            return child
        return None

    def _end(self) -> None:
        if self._child:
            self._child.close()
            self._child = None

    def close(self) -> None:
        """Keep the process for the next submission, or end it."""
        child, self._child = self._child, None
        if child is None:
            return
        child.uses += 1
        if self.common and self._pure and child.uses < USES:
            self.warm.keep(child)
        else:
            child.close()
