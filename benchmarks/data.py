"""生成数据有多快、多省内存：``python benchmarks/data.py [倍数 …]``。

For each scale: rows a second and peak memory (all processes together) of ``crm data --scale N``, writing
Parquet. Beside it, the way small generators usually work: row after row, each value drawn by itself.
"""

import contextlib
import csv
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import psutil

ROWS = 60_000
PROVINCES = ["本市", "江苏", "上海", "浙江", "安徽", "山东", "河南", "湖北", "福建", "广东", "四川", "境外"]


def one_by_one(rows: int, path: Path) -> float:
    """The columns of waybills row by row, as with Faker; returns rows a second, writing CSV included."""
    random.seed(1)
    start = time.perf_counter()
    with open(path, "w", newline="", encoding="utf-8-sig") as file:
        out = csv.writer(file)
        for k in range(rows):
            promise = random.choice([24, 48, 48, 72, 96])
            picked = datetime(2024, 1, 1) + timedelta(minutes=random.randrange(731 * 1440))
            late = random.random() < 0.12
            hours = promise + random.expovariate(1 / 16) if late else promise * random.uniform(0.68, 1)
            weight = random.lognormvariate(0.2, 0.85)
            fee = 5 + 2 * weight
            trouble = random.choices(["", "破损", "丢失", "拒收", "错分"], [980, 6, 1, 8, 5])[0]
            signed = "" if trouble == "丢失" else (picked + timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M")
            out.writerow([f"W{k:05d}", f"C{random.randrange(1500):04d}", random.choice(["标快", "电商件"]),
                          random.choice(PROVINCES), f"{weight:.1f}", f"{fee:.1f}",
                          f"{fee * random.gauss(0.9, 0.05):.1f}", promise, picked.strftime("%Y-%m-%d %H:%M"),
                          f"{hours * random.uniform(0.12, 0.26):.1f}", signed, trouble])
    return rows / (time.perf_counter() - start)


def cpu() -> float:
    """CPU seconds of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(scale: int, tables: str = "") -> tuple[float, float, float, float]:
    """Seconds, CPU seconds, peak memory (MiB), megabytes written of one run, all processes together."""
    folder = Path(tempfile.mkdtemp(prefix="crm-data-"))
    command = [sys.executable, "-m", "crmlib.cli", "data", "--seed", "测速", "--scale", str(scale)]
    command += ["--out", str(folder), "--workers", "2", *(["--tables", tables] if tables else [])]
    start, peak, before = time.perf_counter(), 0, cpu()
    run = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while run.poll() is None:
        with contextlib.suppress(psutil.Error):
            peak = max(peak, sum(p.memory_info().rss for p in [run, *run.children(recursive=True)]))
        time.sleep(0.2)
    seconds = time.perf_counter() - start
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    shutil.rmtree(folder)
    if run.returncode:
        raise SystemExit(f"crm data --scale {scale} 失败了")
    return seconds, cpu() - before, peak / 2**20, size / 1e6


def main(scales):
    slow = one_by_one(20_000, Path(tempfile.gettempdir()) / "one_by_one.csv")
    print(f"逐行生成运单（同样的列）：{slow:,.0f} 行/秒")
    for label, tables in (("只要运单", "waybills"), ("全部的表", "")):
        print(f"\n{label}（两个进程，写 Parquet）")
        print("  倍数         运单        秒    CPU秒    运单行/秒  行/CPU秒  峰值MiB       MB  比逐行快")
        done = None  # 最后一次真正跑过的：倍数、秒、CPU 秒、内存、大小
        for scale in scales:
            if scale > 100 and done:
                last, seconds, work, memory, size = done
                seconds, work, size = (x * scale / last for x in (seconds, work, size))
                note = f"  （按 {last} 倍推算，没有跑）"
            else:
                seconds, work, memory, size = measure(scale, tables)
                done, note = (scale, seconds, work, memory, size), ""
            rate = scale * ROWS / seconds
            figures = f"{scale:>6} {scale * ROWS:>12,} {seconds:>8.1f} {work:>8.1f} {rate:>12,.0f}"
            figures += f" {scale * ROWS / work:>10,.0f} {memory:>8.0f} {size:>8.0f} {rate / slow:>7.0f}×"
            print(figures + note, flush=True)


if __name__ == "__main__":
    main([int(a) for a in sys.argv[1:]] or [1, 10, 100, 1000])
