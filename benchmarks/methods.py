"""分析方法的速度：与别人的工具在同一台机器、同一份数据、同一次运行里比。

用法：OMP_NUM_THREADS=1 python benchmarks/methods.py [--rows 5000000] [--repeat 3] [客户价值] [呼叫中心]

量的是处理器时间（各方都只用一个核），机器上有别的事也比得准。两边轮流跑，取各自最快的一次；结果不一致就停下来。
lifetimes 和 pyworkforce 不进本项目的依赖：需要时装进临时文件夹，装不了就说明。
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd


def best_of(repeat, **calls):
    """CPU seconds of the fastest run of each call, the calls taking turns; and their results."""
    seconds, results = dict.fromkeys(calls, np.inf), {}
    for _ in range(repeat):
        for name, call in calls.items():
            start = time.process_time()
            results[name] = call()
            seconds[name] = min(seconds[name], time.process_time() - start)
    return seconds, results


def report(title, seconds):
    ours = seconds["本课程"]
    print(f"\n{title}")
    for name, value in seconds.items():
        ratio = "" if name == "本课程" else f"  本课程快 {value / ours:.1f} 倍" if value >= ours else (
            f"  本课程慢 {ours / value:.1f} 倍")
        print(f"  {name:<12}{value * 1000:>12,.1f} 毫秒{ratio}")


def peer(*packages):
    """Put packages that the project does not depend on within reach; False if they cannot be had."""
    folder = Path(tempfile.gettempdir()) / "crm-course-benchmarks"
    command = [sys.executable, "-m", "uv", "pip", "install", "-q", "--no-deps", "--target", folder, *packages]
    if subprocess.run(command, capture_output=True, env={**os.environ, "UV_HTTP_TIMEOUT": "20"}).returncode:
        return False
    sys.path.append(str(folder))
    return True


def same(a, b, within):
    if not np.allclose(a, b, rtol=within):
        sys.exit(f"两边的结果不一样：{a} 与 {b}")


# ---------------------------------------------------------------- 客户价值

def orders(rows, customers, seed=0):
    rng = np.random.default_rng(seed)
    who = np.array([f"C{i:07d}" for i in range(customers)])[rng.integers(0, customers, rows)]
    day = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 1096, rows), "D")
    return pd.DataFrame({"客户": who, "金额": rng.gamma(2, 50, rows).round(2), "日期": day})


def plain_rfm(table):
    """What one would write with pandas alone."""
    found = table.groupby("客户").agg(last=("日期", "max"), 次数=("日期", "size"), 金额=("金额", "sum"))
    found["间隔天数"] = (table["日期"].max() - found.pop("last")).dt.days
    for letter, name, sign in (("R", "间隔天数", -1), ("F", "次数", 1), ("M", "金额", 1)):
        rank = (sign * found[name]).rank()
        found[letter] = 1 + ((rank - .5) * 5 // len(found)).astype(int)
    return found


def value(rows, repeat):
    from crmlib.methods import bg_nbd, gamma_gamma, repeat_summary, rfm

    table = orders(rows, rows // 25)
    for title, key in ((f"RFM：{rows:,} 笔订单，客户编号是文字", "客户"),
                       (f"RFM：{rows:,} 笔订单，客户编号是整数", "号")):
        data = table if key == "客户" else table.assign(客户=table["客户"].str[1:].astype(int))
        seconds, found = best_of(repeat, 本课程=lambda data=data: rfm(data, "客户", "日期", "金额"),
                                 pandas=lambda data=data: plain_rfm(data))
        same(found["本课程"][["R", "F", "金额"]], found["pandas"][["R", "F", "金额"]], 1e-12)
        report(title, seconds)
    if not peer("lifetimes==0.11.3", "autograd", "dill"):
        return print("\n装不了 lifetimes（没有网络），其余不比。")
    warnings.simplefilter("ignore")
    from lifetimes import BetaGeoFitter, GammaGammaFitter, utils

    small = table.head(min(rows, 5_000_000))
    theirs = utils.summary_data_from_transaction_data
    seconds, found = best_of(repeat, 本课程=lambda: repeat_summary(small, "客户", "日期", unit=1),
                             lifetimes=lambda: theirs(small, "客户", "日期"))
    same(found["本课程"][["x", "t_x", "T"]], found["lifetimes"][["frequency", "recency", "T"]], 0)
    report(f"订单 → x, t_x, T：{len(small):,} 笔", seconds)

    import lifetimes

    file = Path(lifetimes.__file__).parent / "datasets" / "cdnow_customers_summary_with_transactions.csv"
    d = pd.read_csv(file)
    seconds, found = best_of(3 * repeat, 本课程=lambda: bg_nbd(d["x"], d["t_x"], d["T"]),
                             lifetimes=lambda: BetaGeoFitter().fit(d["x"], d["t_x"], d["T"]))
    same([found["本课程"].r, found["本课程"].alpha], found["lifetimes"].params_[["r", "alpha"]], 1e-3)
    # pymc-marketing 文档的 CDNOW 一例记着抽样用了 30.46 秒（4 条链、各 1000 次；机器不同，只看量级）
    report("BG/NBD 拟合：CDNOW 2,357 位客户", seconds | {"pymc（文档）": 30.46})
    again = d[d["x"] > 0]
    seconds, found = best_of(3 * repeat, 本课程=lambda: gamma_gamma(d["x"], d["zbar"]),
                             lifetimes=lambda: GammaGammaFitter().fit(again["x"], again["zbar"]))
    same(found["本课程"].p, found["lifetimes"].params_["p"], 1e-2)
    report("Gamma-Gamma 拟合：946 位再来过的客户", seconds)


# ---------------------------------------------------------------- 呼叫中心

def call_centre(rows, repeat):
    from crmlib.methods import staff_day

    if not peer("pyworkforce==0.5.1", "ortools", "absl-py", "immutabledict", "protobuf"):
        return print("\n装不了 pyworkforce（没有网络），呼叫中心不比。")
    from pyworkforce.queuing import ErlangC

    hours = np.arange(48) / 2
    shape = 3 + 90 * np.exp(-((hours - 10) / 2) ** 2) + 80 * np.exp(-((hours - 15) / 3) ** 2)
    targets = {"service_level": .8, "within": 20, "shrinkage": .3}
    for title, days, size in (("一天 48 个半小时", 1, 1), ("一年 17,520 个半小时", 365, 1),
                              ("大中心一天，忙时 190 个坐席", 1, 8)):
        curve = pd.DataFrame({"来电量": size * np.tile(shape, days), "平均处理秒": 240.})

        def theirs(curve=curve):  # 两边都交出一张表
            return pd.DataFrame([ErlangC(n, s / 60, 20 / 60, 30, .3).required_positions(.8)
                                 for n, s in zip(curve["来电量"], curve["平均处理秒"], strict=True)])

        seconds, found = best_of(repeat * 3, 本课程=lambda c=curve: staff_day(c, **targets),
                                 pyworkforce=theirs)
        same(found["本课程"]["排班人数"], found["pyworkforce"]["positions"], 0)
        report(f"Erlang C 排班：{title}", seconds)
        seconds, _ = best_of(repeat * 3, 本课程=lambda c=curve: staff_day(c, patience=150, **targets))
        report(f"Erlang A 排班：{title}（pyworkforce 没有 Erlang A）", seconds)


TOPICS = {"客户价值": value, "呼叫中心": call_centre}


def main():
    ask = argparse.ArgumentParser(description="分析方法的速度")
    ask.add_argument("topics", nargs="*", metavar="主题", help=f"只比这些：{'、'.join(TOPICS)}")
    ask.add_argument("--rows", type=int, default=5_000_000, help="RFM 的订单数")
    ask.add_argument("--repeat", type=int, default=3, help="每项跑几遍，取最快的")
    asked = ask.parse_args()
    if unknown := set(asked.topics) - set(TOPICS):
        ask.error(f"没有“{unknown.pop()}”这个主题；可以用的有：{'、'.join(TOPICS)}")
    print(f"Python {platform.python_version()}，pandas {pd.__version__}，numpy {np.__version__}，"
          f"{os.cpu_count()} 核")
    for topic in asked.topics or TOPICS:
        TOPICS[topic](asked.rows, asked.repeat)


if __name__ == "__main__":
    main()
