"""读数据：load、dictionary、validate，和数据字典本身。"""

import csv
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from crmlib import data, paths

SCHEMA = data.schema()


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A copy of the datasets that a test may break."""
    (tmp_path / "datasets").mkdir()
    for name in ("dictionary.toml", "campaigns.csv", "employees.csv", "products.csv"):
        shutil.copy(paths.datasets() / name, tmp_path / "datasets" / name)
    monkeypatch.setenv("CRM_COURSE", str(tmp_path))
    return tmp_path / "datasets"


@pytest.mark.parametrize("name", SCHEMA)
def test_every_table_matches_its_dictionary(name):
    raw = (paths.datasets() / f"{name}.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf"), "要有 BOM，Excel 才认得中文"
    lines = raw.decode("utf-8-sig")
    assert lines.count("\n") == lines.count("\r\n")
    header = next(csv.reader(lines.splitlines()[:1]))
    assert header == list(SCHEMA[name]["columns"])
    table = data.load(name)
    assert len(table) > 0
    kinds = {
        "whole": ("int64", "Int64"),
        "number": ("float64",),
        "date": ("datetime64",),
        "time": ("datetime64",),
    }
    for heading, column in SCHEMA[name]["columns"].items():
        wanted = kinds.get(column["type"], ("str",))
        assert str(table[heading].dtype).startswith(wanted), heading


def test_the_dictionary_is_complete():
    for name, entry in SCHEMA.items():
        assert {"name", "row", "about", "origin", "key", "units", "columns"} <= set(entry), name
        assert set(entry["key"]) <= set(entry["columns"]), name
        english = [c["en"] for c in entry["columns"].values()]
        assert len(set(english)) == len(english), name
        for heading, column in entry["columns"].items():
            assert column["type"] in data.TYPES and column["about"], (name, heading)
            if "ref" in column:
                table, target = column["ref"].split(".")
                assert target in SCHEMA[table]["columns"], (name, heading)
    assert len({e["name"] for e in SCHEMA.values()}) == len(SCHEMA)


def test_load_takes_chinese_names():
    assert data.load("营销活动").equals(data.load("campaigns"))


def test_an_unknown_table_names_the_nearest_and_lists_all():
    with pytest.raises(data.DataError) as fault:
        data.load("custmers")
    assert "customers" in str(fault.value).splitlines()[0]
    assert all(name in str(fault.value) for name in SCHEMA)
    with pytest.raises(data.DataError, match="运单"):
        data.load("运单表")
    with pytest.raises(data.DataError, match="没有"):
        data.load(3)


def test_a_missing_or_damaged_file_is_said_in_one_line(course):
    (course / "campaigns.csv").unlink()
    with pytest.raises(data.DataError, match="找不到"):
        data.load("campaigns")
    good = (course / "employees.csv").read_bytes()
    for broken, words in (
        (b"", "损坏"),
        (good.decode("utf-8-sig").encode("gb18030"), "编码"),
        (good.replace("入职日期".encode(), "日期".encode()), "少了列"),
        (good.replace(b"E001,", b'E001,"', 1), "损坏|日期"),
        (good.replace(b"-", b"x"), "日期"),
    ):
        (course / "employees.csv").write_bytes(broken)
        with pytest.raises(data.DataError, match=words):
            data.load("employees")
    (course / "dictionary.toml").write_bytes(b"[broken")
    with pytest.raises(data.DataError, match="字典"):
        data.load("employees")


def test_in_a_notebook_the_error_is_a_line_not_a_traceback():
    fault = data.DataError("没有这张表")
    assert fault._render_traceback_() == ["⚠ 没有这张表"]


def test_validate_finds_each_kind_of_fault():
    good = data.load("employees")
    assert data.validate(good, "employees").empty
    bad = good.copy()
    bad.loc[0, "部门"] = "火星部"
    bad.loc[1, "上级"] = "E999"
    bad.loc[2, "花名"] = None
    bad.loc[3, "工号"] = "E001"
    bad = bad.drop(columns="岗位")
    found = data.validate(bad, "员工").set_index("列")["问题"]
    assert found["部门"] == "不在允许的值里" and "查不到" in found["上级"]
    assert found["花名"] == "不该为空" and found["工号"] == "工号 重复" and found["岗位"] == "缺少这一列"
    survey = data.validate(data.load("survey_satisfaction"), "survey_satisfaction")
    assert (survey["例子"] == "-99").all() and len(survey) > 20
    phones = data.load("leads")
    phones["电话"] = phones["电话"].astype(object)
    phones.loc[0, "电话"] = 12000060000
    assert "写法不对" in data.validate(phones, "leads")["问题"].tolist()
    dates = good.assign(入职日期="昨天")
    assert data.validate(dates, "employees")["问题"].tolist() == ["不是日期"]


def test_dictionary_and_tables_read_well():
    words = data.dictionary("waybills")
    assert list(words.columns) == ["列", "英文名", "类型", "单位", "允许的值", "含义"]
    assert words.loc[words["列"] == "客户编号", "允许的值"].item() == "见 customers.客户编号"
    assert set(data.tables()["表"]) == set(SCHEMA)


def test_naming_the_data_does_not_load_pandas():
    code = "import sys, crmlib.data; crmlib.data.schema(); print('pandas' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
    )


def test_empty_cells_stay_empty_and_words_stay_words():
    table = data.load("customers")
    assert table["合作结束"].isna().any() and table["客户编号"].str.startswith("C").all()
    assert pd.api.types.is_datetime64_any_dtype(table["合作开始"])
