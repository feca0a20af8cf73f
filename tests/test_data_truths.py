"""埋下的真相，20 个种子里都找得回来。每一项打印找到的比例（power）和估计值。"""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from autograder.company import recover
from crmlib import data

SEEDS = [f"检验{k}" for k in range(20)]
# 本该“不显著”的几项按 5 % 的误报率算；其余要几乎次次找到
LENIENT = {(recover.loyalty, "none"), (recover.uplift, "subject")}
# 估计值对真值的平均偏差和离散，都不该超过这些（偏差按均值的标准误放宽）
SPREAD = {
    recover.orders: {"r": 0.07, "alpha": 0.35, "a": 0.14, "b": 0.80},
    recover.loss_maker: {"margin": 0.01},
    recover.simpson: {"edge": 0.015},
    recover.satisfaction: {"after_sales": 0.04},
    recover.process: {"saving": 0.06},
    recover.lead_score: {"need": 0.15, "money": 0.15, "authority": 0.20},
    recover.credit: {"lawsuits": 0.35, "current": 0.30, "past": 0.30},
}


@pytest.fixture(scope="module")
def results():
    """All checks over all seeds, in two processes."""
    schema = data.schema()
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1), get_context("spawn")) as pool:
        futures = {check: pool.submit(recover.power, check, SEEDS, schema) for check in recover.CHECKS}
        return {check: future.result() for check, future in futures.items()}


@pytest.mark.parametrize("check", recover.CHECKS, ids=lambda check: check.__name__)
def test_planted_truth_is_found(check, results, capsys):
    estimates, found = results[check]
    with capsys.disabled():
        shares = "  ".join(f"{name} {share:.2f}" for name, share in found.items())
        figures = "  ".join(
            f"{c} {m:.3f}±{s:.3f}"
            for c, m, s in zip(estimates, estimates.mean(), estimates.std(), strict=True)
        )
        print(f"\n  {check.__doc__.splitlines()[0]}\n    找到：{shares}\n    估计（或对真值的差）：{figures}")
    for name, share in found.items():
        assert share >= (0.80 if (check, name) in LENIENT else 0.90), (name, share)
    for name, limit in SPREAD.get(check, {}).items():
        sample = estimates[name]
        assert sample.std() <= limit, (name, sample.std())
        assert abs(sample.mean()) <= 3.5 * sample.std() / len(sample) ** 0.5 + limit / 4, (
            name,
            sample.mean(),
        )
    if check is recover.churn:
        assert 0.12 <= estimates["rate"].mean() <= 0.17
        assert 0.74 <= estimates["auc"].mean() <= 0.82
        assert estimates["at_risk"].between(1100, 1300).all()
        assert min(found.values()) >= 0.95
