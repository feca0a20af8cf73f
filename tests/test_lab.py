"""`crm lab`：设置、端口、真的启动一次。"""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

lab = pytest.importorskip("crmlib.lab", reason="没有装 JupyterLab")

from crmlib.cli import CourseError  # noqa: E402
from crmlib.server import notebooks_prefix  # noqa: E402

JUPYTER = Path(lab.__file__).parent / "jupyter"
SHARE = Path(sys.prefix) / "share" / "jupyter"


def load(name):
    return json.loads((JUPYTER / name).read_text("utf-8"))


@pytest.fixture
def taken():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def test_a_named_port_that_is_taken_is_one_clear_fault(taken):
    with pytest.raises(CourseError, match=f"端口 {taken}.*not available"):
        lab.main(["--port", str(taken), "--no-browser"])


def test_without_a_named_port_the_next_free_one_is_used(taken, monkeypatch):
    monkeypatch.setattr(lab, "FIRST_PORT", taken)
    assert taken < lab._free_port("127.0.0.1", None) < taken + lab.TRIES


@pytest.mark.parametrize(("ip", "port"), [("不是地址", 8888), ("127.0.0.1", 70000), ("127.0.0.1", -1)])
def test_an_impossible_address_is_one_clear_fault(ip, port):
    with pytest.raises(CourseError):
        lab._free_port(ip, port)


def test_a_missing_course_folder_is_one_clear_fault(monkeypatch, tmp_path):
    monkeypatch.setenv("CRM_COURSE", str(tmp_path / "没有"))
    with pytest.raises(CourseError, match="找不到课程文件夹"):
        lab.main(["--no-browser"])


def test_settings_name_what_jupyterlab_has():
    """A setting that a new JupyterLab renamed would be dropped without a word."""
    for plugin, settings in load("overrides.json").items():
        package, _, name = plugin.partition(":")
        schema = json.loads((SHARE / "lab" / "schemas" / package / f"{name}.json").read_text("utf-8"))
        known = set(schema["properties"])
        assert set(settings) <= known, plugin
    toolbar = load("overrides.json")["@jupyterlab/notebook-extension:panel"]["toolbar"]
    panel = SHARE / "lab" / "schemas" / "@jupyterlab" / "notebook-extension" / "panel.json"
    builtin = {i["name"] for i in json.loads(panel.read_text("utf-8"))["jupyter.lab.toolbars"]["Notebook"]}
    assert {i["name"] for i in toolbar if i.get("disabled")} <= builtin
    assert min(toolbar, key=lambda i: i.get("rank", 50))["label"] == "▶ 运行全部"


def test_hidden_panels_are_named_as_jupyterlab_names_them():
    core = "".join(p.read_text("utf-8") for p in (SHARE / "lab" / "static").glob("jlab_core*.js"))
    for plugin in load("page_config.json")["disabledExtensions"]:
        if plugin.startswith("@jupyterlab/"):
            assert plugin in core, plugin


def test_which_class_the_grading_panel_opens(monkeypatch, tmp_path):
    monkeypatch.setenv("CRM_COURSE", str(tmp_path / "课程"))
    monkeypatch.chdir(tmp_path)
    assert lab._class_folder(None) is None
    (tmp_path / "课程" / "assignments").mkdir(parents=True)
    (tmp_path / "课程" / "assignments" / "nbgrader_config.py").touch()
    assert lab._class_folder(None) == tmp_path / "课程" / "assignments"
    for name in ("一班", "二班"):
        if name == "二班":
            assert lab._class_folder(None) == tmp_path / "一班", "下面只有一个班"
        (tmp_path / name).mkdir()
        (tmp_path / name / "class.json").touch()
        (tmp_path / name / "nbgrader_config.py").touch()
    with pytest.raises(CourseError, match="2 个班级文件夹：一班、二班"):
        lab._class_folder(None)
    assert lab._class_folder(Path("二班")) == tmp_path / "二班"
    with pytest.raises(CourseError, match="不是班级文件夹"):
        lab._class_folder(Path("课程"))
    monkeypatch.chdir(tmp_path / "二班")
    assert lab._class_folder(None) == tmp_path / "二班"


def test_the_teacher_gets_the_grading_panels_back():
    hidden = load("page_config.json")["disabledExtensions"]
    shown = load("teacher/labconfig/page_config.json")["disabledExtensions"]
    assert hidden["@jupyter/nbgrader"] is True
    assert shown["@jupyter/nbgrader"] is False


def test_the_extension_is_where_its_package_says():
    package = load("labextension/package.json")
    script = JUPYTER / "labextension" / package["jupyterlab"]["_build"]["load"]
    assert "__esModule: true" in script.read_text("utf-8")  # 少了它，Lab 一片空白
    assert script.with_suffix(".css").is_file()


def test_prefix_of_the_notebooks_below_the_servers_root(monkeypatch, tmp_path):
    monkeypatch.setenv("CRM_COURSE", str(tmp_path))
    (tmp_path / "notebooks").mkdir()
    assert notebooks_prefix(tmp_path) == "notebooks"
    assert notebooks_prefix(tmp_path / "notebooks") == ""
    assert notebooks_prefix(tmp_path / "别处") is None


def test_the_server_starts_in_chinese_asks_for_the_token_and_stops_at_once(tmp_path):
    (tmp_path / "notebooks").mkdir()
    env = {**os.environ, "CRM_COURSE": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
           "JUPYTER_DATA_DIR": str(tmp_path / "data"), "PYTHONUTF8": "1"}
    server = subprocess.Popen([sys.executable, "-m", "crmlib", "lab", "--no-browser", "--port", "0"],
                              env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              encoding="utf-8")
    try:
        address = next(line.strip() for line in server.stdout if "http://" in line)
        base, _, token = address.partition("crm?token=")
        assert len(token) >= 32

        def get(path, **headers):
            with urllib.request.urlopen(urllib.request.Request(base + path, headers=headers)) as answer:
                return answer.status, answer.url, answer.read().decode()

        known = {"Authorization": f"token {token}"}
        status, _, html = get("crm/home", **known)
        assert status == 200 and "还没有课程地图" in html
        _, url, page = get("crm", **known)
        assert url.endswith("/lab?reset") and '"crmNotebooks": "."' in page
        assert "/login?" in get("crm/home")[1]  # 没有口令，什么也看不到
        with pytest.raises(urllib.error.HTTPError, match=r"40[35]"):
            urllib.request.urlopen(urllib.request.Request(base + "crm/home", headers=known, method="POST"))
        server.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)
        said = server.communicate(timeout=30)[0]
        assert "课程已关闭" in said or os.name == "nt"
        assert "Traceback" not in said
    finally:
        server.kill()
        server.wait()
