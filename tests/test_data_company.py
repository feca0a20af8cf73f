"""公司数据的生成：逐字节可重复，表和表对得上，不泄密，出错时不留半张表。"""

import errno
import io
import os
import re
import signal
import subprocess
import sys
import time
import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from autograder.company import (
    calibration,
    check,
    cli,
    frames,
    mess,
    names,
    scale,
    streams,
    tables,
    truth,
    write,
)
from crmlib import data, paths
from crmlib.cli import CourseError

SCHEMA = data.schema()
# 17 个模块各有几个单元
COUNTS = {
    1: 3,
    2: 3,
    3: 4,
    4: 4,
    5: 5,
    6: 4,
    7: 4,
    8: 3,
    9: 3,
    10: 3,
    11: 4,
    12: 5,
    13: 4,
    14: 4,
    15: 4,
    16: 4,
    17: 3,
}
UNITS = {f"{module}.{k}" for module, count in COUNTS.items() for k in range(1, count + 1)}
# 这些单元只用卡片、对话和量表，不用数据表
CARDS_ONLY = {"2.1", "4.2", "5.1", "11.1", "17.1", "17.2"}


def as_pandas(made):
    return {name: frames.pandas(frame, SCHEMA[name]) for name, frame in made.items()}


def manifest(log):
    return pd.read_csv(io.BytesIO(log.csv_bytes()), dtype=str, keep_default_na=False, encoding="utf-8-sig")


# ── 课程自带的一份 ──────────────────────────────────────────────────────────────────────────


def test_committed_files_are_what_the_generator_writes():
    for path, content in cli.derived().items():
        assert path.read_bytes() == content, f"{path.name}：运行 crm data 重新生成"


def test_teaching_size():
    assert sum(p.stat().st_size for p in paths.datasets().glob("*.csv")) <= 12_000_000
    for seed in ("一班", "二班", "三班"):
        made, _ = tables.make(seed)
        authored = sum((paths.datasets() / f"{n}.csv").stat().st_size for n in SCHEMA if n not in tables.ALL)
        assert sum(len(frames.csv_bytes(f, SCHEMA[n])) for n, f in made.items()) + authored <= 12_000_000


def test_every_generated_table_is_in_the_dictionary_and_the_other_way_round():
    assert {n for n, e in SCHEMA.items() if e["origin"] == "generated"} == set(tables.ALL)


def test_every_unit_finds_its_data():
    used = {unit for entry in SCHEMA.values() for unit in entry["units"]}
    assert len(UNITS) == 64 and used <= UNITS
    assert UNITS - used == CARDS_ONLY


def test_random_numbers_are_the_promised_ones():
    """The raw draws of PCG64 and of RandomState are frozen; these would change only if that promise broke."""
    s = streams.Stream("检验", "frozen", 3)
    assert s.whole(0, 999, 5).tolist() == [
        int(v * 1000) for v in streams.Stream("检验", "frozen", 3).uniform(5)
    ]
    bits = streams.Stream("检验", "bits").bits16(8, 4)
    assert bits.shape == (4, 8) and bits.dtype == np.uint16
    mid = streams.normal_quantile(np.array([0.001, 0.025, 0.5, 0.975]))
    assert np.allclose(mid, [-3.090232, -1.959964, 0, 1.959964], atol=1e-6)


# ── 表和表对得上 ────────────────────────────────────────────────────────────────────────────


def test_the_course_tables_hold_together_but_for_the_logged_mess():
    course = {name: data.load(name) for name in SCHEMA}
    log = pd.read_csv(cli.manifest_path(), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert check.unexplained(course, SCHEMA, log) == []
    assert set(log["类别"]) == set(mess.KINDS)
    assert set(log["表"]) <= set(tables.ALL)


# 出错时不缩减例子：种子没有大小，缩减只费时间
slow = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.generate],
}


@settings(max_examples=5, **slow)
@given(seed=st.text(min_size=1, max_size=8), size=st.sampled_from([300, 450]))
def test_any_seed_holds_together(seed, size):
    made, world = tables.make(seed, size=size)
    assert check.unexplained(as_pandas(made), SCHEMA, manifest(world.log)) == []


@settings(max_examples=3, **slow)
@given(seed=st.text(min_size=1, max_size=8), block=st.integers(1, 2000))
def test_any_block_holds_together(seed, block):
    made, world = tables.make(seed, block=block, size=300)
    assert set(made) == set(tables.BLOCK)
    t = as_pandas(made) | as_pandas(tables.make(seed, ["employees"], size=300)[0])
    assert check.unexplained(t, SCHEMA, manifest(world.log)) == []


def test_the_check_finds_faults_that_no_log_explains():
    made, world = tables.make("坏", size=300)
    t = as_pandas(made)
    t["invoices"].loc[0, "应收"] += 1
    t["waybills"].loc[0, "签收时间"] = t["waybills"].loc[0, "揽收时间"] - pd.Timedelta(hours=1)
    t["customers"].loc[0, "区域"] = "苏东"
    faults = {f[0] for f in check.unexplained(t, SCHEMA, manifest(world.log))}
    assert {"应收＝运费＋增值－优惠", "应收＝当月收入", "先揽收后签收", "customers"} <= faults


def test_mess_is_logged_cell_by_cell():
    log = pd.read_csv(cli.manifest_path(), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    waybill = data.load("waybills").set_index("运单号")
    for kind, column in (("负运费", "运费"), ("单位混用", "重量")):
        rows = log[(log["类别"] == kind) & (log["表"] == "waybills")]
        assert len(rows) > 20
        assert (waybill.loc[rows["主键"], column].to_numpy() == rows["现为"].astype(float).to_numpy()).all()
    forms = pd.read_csv(paths.datasets() / "customer_forms.csv", dtype=str, keep_default_na=False)
    forms = forms.set_index(forms.columns[0])
    for row in log[log["表"] == "customer_forms"].itertuples():
        assert forms.loc[row.主键, row.列] == row.现为, row
    twice = log[log["类别"] == "重复客户"]
    assert 0.02 < len(twice) / len(forms) < 0.04


# ── 不会是真人真事，也不泄密 ────────────────────────────────────────────────────────────────

# 已上市（或曾上市）和全国性的快递、物流企业：虚构的名字里不许出现它们
LISTED = re.findall(
    r"\S+",
    """
    顺丰 圆通 中通 申通 韵达 极兔 德邦 百世 京东 菜鸟 邮政 安能 壹米滴答 跨越 嘉里 中外运 中远海 中集
    传化 怡亚通 飞力达 新宁 恒通 密尔克卫 长久 华贸 海晨 东方嘉盛 宏川 盛航 原尚 天顺 畅联 炬申 嘉诚
    三羊马 福然德 音飞 今天国际 满帮 货拉拉 快狗 达达 闪送 丰巢 速尔 优速 天天 国通 全峰 宅急送 快捷
    丹鸟 众邮 联邦快递 敦豪 联合包裹
    """,
)


def test_no_name_is_that_of_a_listed_firm():
    brands = [a + b for a in names.FIRST for b in names.SECOND]
    words = brands + names.TOWNS + names.ROADS + [a + b for a in names.NICKNAMES_A for b in names.NICKNAMES_B]
    for column, table in (
        ("客户名称", "customers"),
        ("企业名称", "leads"),
        ("客户名称", "customer_forms"),
        ("网点名称", "distributors"),
        ("供应商", "crm_vendors"),
        ("企业", "competitors"),
    ):
        words += data.load(table)[column].tolist()
    hits = [(w, firm) for w in set(words) for firm in LISTED if firm in w]
    assert hits == []


def test_names_begin_with_places_that_do_not_exist():
    assert data.load("customers")["客户名称"].str[:2].isin(names.TOWNS).all()
    assert data.load("leads")["企业名称"].str[:2].isin(names.TOWNS).all()
    assert data.load("customers")["客户名称"].is_unique


def test_numbers_cannot_be_anyones():
    """Digits as long as a phone number begin with 120; no plate, mail address or identity number."""
    for name in SCHEMA:
        text = unicodedata.normalize("NFKC", (paths.datasets() / f"{name}.csv").read_text("utf-8-sig"))
        assert "@" not in text
        for number in re.findall(r"(?<![\dS.])\d{10,18}(?!\d)", text):
            assert number.startswith(("120", "999999")), (name, number)
        for plate in re.findall(r"苏[A-Z][A-Z0-9]{5}", text):
            assert plate[1] == "I", plate
    people = data.load("contacts")["称呼"]
    assert people.str.fullmatch(r".(女士|先生)").all()
    assert set(data.load("customer_forms")["身份证号"].dropna().str[:6]) == {"999999"}


def test_consent_is_part_of_the_story():
    sent = data.load("contacts_sent").merge(data.load("senders"), on="寄件人编号")
    against = (sent["营销同意"] == "否") & (sent["组别"] == "触达")
    log = pd.read_csv(cli.manifest_path(), dtype=str, keep_default_na=False)
    assert 0 < against.sum() == (log.iloc[:, 0] == "违反同意").sum()


def test_nothing_a_student_receives_states_the_truths():
    for folder in (paths.datasets(), paths.root() / "crmlib", paths.notebooks()):
        for path in folder.rglob("*"):
            if path.suffix in (".py", ".toml", ".md", ".ipynb", ".json", ".svg", ".js"):
                text = path.read_text("utf-8", errors="replace")
                assert "autograder.company" not in text or path.name == "cli.py", path
                for word in [*truth.RANGES, streams.COURSE_SEED, "窜货网点：", "勿扰", "manifest.csv"]:
                    assert word not in text, (path, word)
    assert not (paths.datasets() / "manifest.csv").exists()


def test_truths_move_with_the_seed_inside_their_ranges():
    drawn = pd.DataFrame([truth.draw(f"种{k}") for k in range(50)])
    for name, planted in truth.RANGES.items():
        assert drawn[name].between(planted.low - 1e-9, planted.high + 1e-9).all(), name
        assert planted.low == planted.high or drawn[name].nunique() > 3, name
    assert truth.draw("甲") == truth.draw("甲") != truth.draw("乙")
    assert all(p.meaning in truth.report("甲") for p in truth.RANGES.values())


def test_ours_stands_beside_the_published_figures():
    ours = calibration.measure(streams.COURSE_SEED)
    for target in calibration.TARGETS:
        assert abs(ours[target.key] - target.value) <= target.tolerance, (target.name, ours[target.key])
    assert 12 <= ours["churn"] <= 18


# ── 规模 ────────────────────────────────────────────────────────────────────────────────────

WANTED = ["customers", "waybills", "complaints", "payments", "employees"]


def parquet_files(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    stage = tmp_path_factory.mktemp("large")
    total = scale.generate("大", 12, WANTED, SCHEMA, stage, "记录", workers=1, size=60)
    return stage, total


def test_a_large_company_is_blocks_side_by_side(large):
    import pyarrow.parquet as pq

    stage, total = large
    assert total["waybills"] == 12 * 60 * 40 and total["customers"] == 12 * 60 and total["employees"] == 60
    everything = pq.ParquetDataset(stage / "datasets" / "waybills").read().to_pandas()
    assert everything["运单号"].is_unique and len(everything) == total["waybills"]
    customers = pq.ParquetDataset(stage / "datasets" / "customers").read().to_pandas()["客户编号"]
    known = everything["客户编号"].astype(str).isin(customers)
    assert 0.99 < known.mean() < 1
    # 第 11 块单独做出来，和在大公司里的一样；第 0 块就是小规模的那一份
    for block in (11, 0):
        alone, _ = tables.make("大", ["waybills"], block, 60)
        part = pq.ParquetFile(stage / "datasets" / "waybills" / f"part-{block // 10:05d}.parquet")
        rows = part.read_row_group(block % 10)
        assert (
            rows.to_pandas()
            .astype(str)
            .equals(frames.arrow_table(alone["waybills"], SCHEMA["waybills"]).to_pandas().astype(str))
        )


def test_processes_and_a_dask_cluster_write_the_same_bytes(large, tmp_path):
    from distributed import LocalCluster

    expected = parquet_files(large[0])
    (tmp_path / "p").mkdir()
    scale.generate("大", 12, WANTED, SCHEMA, tmp_path / "p", "记录", workers=2, size=60)
    assert parquet_files(tmp_path / "p") == expected
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None) as cluster:
        (tmp_path / "d").mkdir()
        scale.generate(
            "大", 12, WANTED, SCHEMA, tmp_path / "d", "记录", cluster=cluster.scheduler_address, size=60
        )
    assert parquet_files(tmp_path / "d") == expected


def test_long_identifiers_at_any_scale():
    numbers = np.array([998, 999, 1000, 1001])
    ids = frames.Ids("C", numbers, 3)
    assert frames.arrow(ids, {"type": "id"}).to_pylist() == ["C998", "C999", "C1000", "C1001"]
    assert frames.texts(ids, {"type": "id"}) == ["C998", "C999", "C1000", "C1001"]
    big = frames.arrow(frames.Ids("W", np.array([5_000_000_000, 5_000_000_001]), 5), {"type": "id"})
    assert big.to_pylist() == ["W5000000000", "W5000000001"]


# ── 命令行 ──────────────────────────────────────────────────────────────────────────────────


def test_a_class_set_is_complete_and_different(tmp_path, capsys, monkeypatch):
    assert cli.main(["--seed", "春风", "--out", str(tmp_path / "一班")]) == 0
    made = {p.name for p in (tmp_path / "一班" / "datasets").iterdir()}
    assert made == {*(f"{name}.csv" for name in SCHEMA), "dictionary.toml"}
    assert [p.name for p in (tmp_path / "一班" / cli.MESS).iterdir()] == ["manifest.csv"]
    assert sorted(p.name for p in (tmp_path / "一班").iterdir()) == sorted(["datasets", cli.MESS])
    monkeypatch.setenv("CRM_COURSE", str(tmp_path / "一班"))
    ours = data.load("customers")
    monkeypatch.delenv("CRM_COURSE")
    assert not ours.equals(data.load("customers"))
    # 再做一次：原样换掉，不留旧的
    assert cli.main(["--seed", "春风", "--out", str(tmp_path / "一班"), "--tables", "运单,customers"]) == 0
    assert "waybills.csv" in {p.name for p in (tmp_path / "一班" / "datasets").iterdir()}
    assert not (tmp_path / "一班" / "datasets" / "leads.csv").exists()
    capsys.readouterr()


@pytest.mark.parametrize(
    "argv, words",
    [
        (["--scale", "-3"], "1 或更大的整数"),
        (["--scale", "1.5"], "1 或更大的整数"),
        (["--scale", "零"], "规模"),
        (["--tables", "waybils", "--out", "x"], "你要的是不是“waybills”"),
        (["--tables", "swot_evidence", "--out", "x"], "人写的"),
        (["--seed", "  "], "暗号"),
        (["--seed", "甲"], "--out"),
        (["--scale", "2"], "--out"),
        (["--怪"], "用法"),
        (["--workers", "0"], "进程数"),
        (["--out", str(paths.root())], "课程自己的文件夹"),
    ],
)
def test_bad_input_is_answered_in_a_line(argv, words):
    with pytest.raises(CourseError) as fault:
        cli.main(argv)
    assert words in str(fault.value)


def test_other_peoples_folders_are_left_alone(tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "论文.docx").write_text("重要")
    with pytest.raises(CourseError, match="别的东西"):
        cli.main(["--seed", "甲", "--out", str(tmp_path)])
    (tmp_path / "文件").write_text("")
    with pytest.raises(CourseError, match="不是文件夹"):
        cli.main(["--seed", "甲", "--out", str(tmp_path / "文件")])
    assert [p.name for p in (tmp_path / "datasets").iterdir()] == ["论文.docx"]


def test_a_wrong_cluster_address_is_said(tmp_path):
    with pytest.raises(CourseError, match="连不上"):
        cli.main(["--scale", "11", "--out", str(tmp_path), "--cluster", "tcp://127.0.0.1:9"])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_tables_whole(tmp_path, monkeypatch):
    write.replace_files({"a.csv": b"old", "b.csv": b"old"}, tmp_path)
    real = type(tmp_path).write_bytes

    def full(self, content):
        if self.name == "b.csv":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, content)

    monkeypatch.setattr(type(tmp_path), "write_bytes", full)
    with pytest.raises(CourseError, match="磁盘满了"):
        write.replace_files({"a.csv": b"new", "b.csv": b"new"}, tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a.csv": b"old", "b.csv": b"old"}


def test_a_file_open_in_excel_stops_the_whole_exchange(tmp_path, monkeypatch):
    write.replace_files({"a.csv": b"old", "b.csv": b"old"}, tmp_path)
    real = open

    def locked(path, mode="r", *rest, **more):
        if str(path).endswith("b.csv") and mode == "r+b":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, mode, *rest, **more)

    monkeypatch.setattr("builtins.open", locked)
    with pytest.raises(CourseError, match="Excel"):
        write.replace_files({"a.csv": b"new", "b.csv": b"new"}, tmp_path)
    monkeypatch.undo()
    assert (tmp_path / "a.csv").read_bytes() == b"old"


@pytest.mark.skipif(sys.platform == "win32", reason="信号")
def test_an_interrupted_run_leaves_nothing(tmp_path):
    # 在后台跑测试时，外壳会让 Ctrl-C 失效：先恢复
    code = ("import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
            "from crmlib.cli import main; sys.exit(main(sys.argv[1:]))")
    argv = ["data", "--seed", "甲", "--scale", "400", "--out", str(tmp_path / "o"), "--workers", "2"]
    run = subprocess.Popen(
        [sys.executable, "-c", code, *argv],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    stage = tmp_path / "o" / write.STAGE
    for _ in range(600):
        if stage.exists() or run.poll() is not None:
            break
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 130 and "已停止" in said and "Traceback" not in said
    assert not (tmp_path / "o").exists()


def test_what_a_power_cut_left_is_cleared_next_time(tmp_path):
    (tmp_path / write.STAGE).mkdir()
    (tmp_path / write.STAGE / "half.csv").write_bytes(b"x")
    write.replace_files({"a.csv": b"new"}, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
