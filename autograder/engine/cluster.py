"""在 Dask 集群上批：一份作业一个任务，每个工人有自己的暖进程；成绩只由发任务的这一台写。

工人中途没了，Dask 把他手里的任务交给别人。任务只算不写，所以批两遍也只记一次。
各台机器要装同一版课程；作业的文件随任务送去，不需要共享文件夹。
"""

import atexit
import os
import threading
from dataclasses import replace

from autograder.engine import course, grade, pool, sandbox
from autograder.engine.grade import Result
from crmlib.cli import CourseError

PATIENCE = "20s"
AHEAD = 4  # 每个工人的线程最多排这么多份：全班的作业不必一次都送出去
FILE_BYTES = 64 << 20  # 随任务送去的附件，一份作业最多这么多


def source(session, address):
    """What ``Session.run`` takes as ``source``: grades at the scheduler's ``address``."""
    def results(students, report):
        from distributed import Client, as_completed

        try:
            client = Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as fault:
            raise CourseError(f"连不上 Dask 调度器 {address}（{str(fault)[:100]}）。"
                              "看看它起来没有、地址写对没有。") from None
        with client:
            threads = sum(client.nthreads().values())
            if not threads:
                raise CourseError(f"Dask 调度器 {address} 那里一个工人也没有。"
                                  "先在各台机器上运行 dask worker。")
            modules = session.modules()
            extra = {inside: path.read_bytes() for inside, path in session.extra.items()}

            def send(plans, handed, name):
                return client.submit(_work, about, plans, _packed(handed), pure=False, retries=2,
                                     key=f"crm-{session.assignment}-{name}-{os.urandom(4).hex()}")

            def one(plans, handed):
                return _result(send(plans, handed, "标准答案"), handed.student)

            about = {"mark": session.mark, "modules": modules, "rules": session.rules, "extra": extra,
                     "guard": session.guard, "fork": session.fork}
            if session.runs:
                about["modules"] = [*modules, *session.trial(one, report)]
            plans = client.scatter(session.plans, broadcast=True)
            left, waiting, running = iter(students), {}, as_completed(loop=client.loop)
            while True:
                while len(waiting) < AHEAD * threads and (student := next(left, None)) is not None:
                    handed = session.handed(student)
                    future = send(plans, handed, student)
                    waiting[future.key] = handed
                    running.add(future)
                if not waiting:
                    return
                future = next(running)
                handed = waiting.pop(future.key)
                result = _result(future, handed.student)
                if result is None:
                    result = Result(handed.student)
                    for plan in session.plans.values():
                        grade._unread(result, plan, "几次弄停了批改它的机器")
                report.layers = report.layers or result.layers
                yield result, handed

    return results


def _result(future, student) -> Result | None:
    """The task's result; None if its worker died each time."""
    from distributed.scheduler import KilledWorker

    try:
        return future.result()
    except KilledWorker:
        return None
    except CourseError:
        raise
    except Exception as fault:
        raise CourseError(f"集群上批 {student} 的时候出错了：{type(fault).__name__}: {str(fault)[:200]}。"
                          "看看各台机器装的是不是同一版课程。") from None


def _packed(handed) -> course.Handed:
    """The submission with its files' contents, to travel to another machine."""
    files, room = {}, FILE_BYTES
    for inside, path in handed.files.items():
        content = course.read(path, room)
        room -= len(content)
        files[inside] = content
    return replace(handed, files=files)


# ---- 工人的一侧 ----

_lock, _warm = threading.Lock(), {}


def _work(about, plans, handed) -> Result:
    runs = any(plan.runs for plan in plans.values())
    return grade.grade(plans, handed, about["extra"], about["rules"], _warmed(about) if runs else None)


def _warmed(about) -> pool.Warm:
    """This worker's warm process for the assignment; an earlier assignment's is closed."""
    from distributed import get_worker

    with _lock:
        if about["mark"] not in _warm:
            for key in list(_warm):
                _warm.pop(key).close()
            jobs = get_worker().state.nthreads
            made = _warm[about["mark"]] = pool.Warm(about["modules"], jobs, about["guard"], about["fork"])
            atexit.register(made.close)
            layers = made.layers()
            if about["rules"].guard and not layers >= sandbox.NEEDED:
                from autograder.engine.session import unsafe

                raise CourseError(unsafe(layers))
        return _warm[about["mark"]]
