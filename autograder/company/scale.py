"""大规模：一块一块地生成，写成 Parquet，内存不随规模增长。

A company of scale s has s blocks of 1,500 customers. Ten blocks make one file per table, one row group a
block. A part depends on nothing but the seed and its number, so it may be made in this process, in
several, or on a Dask cluster: the bytes are the same.
"""

import io
import signal
import sys
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from autograder.company import frames
from autograder.company.customers import CUSTOMERS
from autograder.company.tables import ALL, make

BLOCKS_PER_PART = 10


def parts(scale: int) -> list[range]:
    """The blocks of each file."""
    return [range(first, min(first + BLOCKS_PER_PART, scale)) for first in range(0, scale, BLOCKS_PER_PART)]


def make_part(seed, number, blocks, wanted, schema, folder=None, size=CUSTOMERS):
    """Make one file of each wanted table.

    Args:
        seed, number, blocks: which part.
        wanted: names of tables.
        schema: the data dictionary.
        folder: where to write; without it the files come back as bytes.
        size: customers in a block.

    Returns:
        ({table: rows}, mess log as CSV bytes, {table: file content} or {})
    """
    import pyarrow.parquet as pq

    sinks, count, logs = {}, {}, []
    with ExitStack() as stack:
        writers = {}
        for block in blocks:
            made, world = make(seed, wanted, block, size)
            for name, frame in made.items():
                table = frames.arrow_table(frame, schema[name])
                if name not in writers:
                    sinks[name] = (
                        io.BytesIO() if folder is None else stack.enter_context(_open(folder, name, number))
                    )
                    words = [f.name for f in table.schema if f.type == frames.word_type()]
                    writers[name] = stack.enter_context(
                        pq.ParquetWriter(
                            sinks[name], table.schema, compression="snappy", use_dictionary=words
                        )
                    )
                writers[name].write_table(table, row_group_size=max(len(table), 1))
                count[name] = count.get(name, 0) + len(table)
            logs.append(world.log)
    first = logs[0]
    for log in logs[1:]:
        first.entries += log.entries
    content = {name: sink.getvalue() for name, sink in sinks.items()} if folder is None else {}
    return count, first.csv_bytes(), content


def _open(folder, name, number):
    place = Path(folder) / name
    place.mkdir(parents=True, exist_ok=True)
    return open(place / f"part-{number:05d}.parquet", "wb")


def generate(seed, scale, wanted, schema, stage, logs, workers=2, cluster=None, size=CUSTOMERS, report=None):
    """Write all parts of a company: ``stage/datasets/<table>/part-*.parquet``, and the log of mess beside.

    Args:
        scale: number of blocks.
        logs: name of the folder for the log of mess.
        workers: processes on this machine (1 = none beside this one).
        cluster: address of a Dask scheduler, used instead of local processes.
        report: called with (parts done, parts, rows written so far).

    Returns:
        {table: rows}
    """
    wanted = [name for name in ALL if name in wanted]
    jobs = [
        (seed, k, blocks, wanted, {n: schema[n] for n in wanted}) for k, blocks in enumerate(parts(scale))
    ]
    tables, teacher = stage / "datasets", stage / logs
    tables.mkdir()
    teacher.mkdir()
    run = _on_cluster if cluster else _on_processes if workers > 1 and len(jobs) > 1 else _here
    total = {}
    results = run(jobs, tables, size, cluster or workers)
    for done, (number, (count, log, content)) in enumerate(results, 1):
        for name, data in content.items():
            (tables / name).mkdir(exist_ok=True)
            (tables / name / f"part-{number:05d}.parquet").write_bytes(data)
        (teacher / f"manifest-{number:05d}.csv").write_bytes(log)
        for name, rows in count.items():
            total[name] = total.get(name, 0) + rows
        if report:
            report(done, len(jobs), sum(total.values()))
    return total


def _here(jobs, folder, size, _):
    for job in jobs:
        yield job[1], make_part(*job, folder, size)


def _quiet():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # 按 Ctrl-C 由主进程收尾


@contextmanager
def _held():
    """Hold Ctrl-C back while a worker is being started: half-started, it would print a traceback."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _on_processes(jobs, folder, size, workers):
    with ProcessPoolExecutor(workers, get_context("spawn"), _quiet) as pool:

        def submit(job):
            with _held():
                return pool.submit(make_part, *job, folder, size)

        try:
            yield from _window(jobs, submit, wait, 2 * workers)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _on_cluster(jobs, folder, size, address):
    from distributed import Client
    from distributed import wait as wait_there

    from crmlib.cli import CourseError

    try:
        client = Client(address, timeout="5s")
    except OSError:
        raise CourseError(
            f"连不上 Dask 集群：{address}。地址应像 tcp://192.168.1.10:8786，先确认调度器已经启动。"
        ) from None
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise CourseError(f"Dask 集群 {address} 里没有工作机。先启动 dask worker。")

        def submit(job):
            return client.submit(make_part, *job, None, size, pure=False)

        yield from _window(jobs, submit, wait_there, 2 * threads)


def _window(jobs, submit, wait_any, width):
    """Results as they come, with never more than ``width`` jobs under way: memory stays constant."""
    queue, running = iter(jobs), {}
    for job in islice(queue, width):
        running[submit(job)] = job[1]
    while running:
        finished = next(iter(wait_any(list(running), return_when=FIRST_COMPLETED)))
        for future in list(finished):
            number = running.pop(future)
            result = future.result()
            for job in islice(queue, 1):
                running[submit(job)] = job[1]
            yield number, result


class Progress:
    """A line on the screen: how far, how fast, how long still."""

    def __init__(self, label):
        self.label, self.start, self.shown = label, time.perf_counter(), -1

    def __call__(self, done, total, rows):
        spent = max(time.perf_counter() - self.start, 1e-6)
        share = done / total
        text = (
            f"{self.label} [{'█' * int(20 * share):░<20}] {share:4.0%}  {rows:,} 行  "
            f"{rows / spent:,.0f} 行/秒  还要 {spent / share - spent:.0f} 秒"
        )
        if sys.stderr.isatty():
            print(f"\r{text}   ", end="\n" if done == total else "", file=sys.stderr, flush=True)
        elif int(10 * share) > self.shown:  # 写进日志时每一成报一行
            self.shown = int(10 * share)
            print(text, file=sys.stderr, flush=True)
