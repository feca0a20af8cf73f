"""每一本笔记本从头跑到尾，断着网，不许出错、不许警告、不许有缺字。没做过题的跑一遍，全做对的再跑一遍。"""

import json
import os
import shutil

import nbformat
import pytest
from fixtures.course import PROJECT
from nbclient import NotebookClient

from crmlib.tasks import KINDS, read_tasks

LESSONS = sorted(PROJECT.glob("notebooks/[0-9]*/*.ipynb"))
ASSIGNMENTS = sorted(PROJECT.glob("assignments/source/*/*.ipynb"))  # 全做对的作业由 test_nbgrader_stock 来跑

# 内核一启动就装上：除了本机，哪里也连不上；试过的都记下来，被代码吞掉的也算
NO_NETWORK = '''
import os, socket
def _refuse(name, original):
    def call(self, address, *rest):
        host = address[0] if isinstance(address, tuple) else "localhost"
        if host not in ("127.0.0.1", "localhost", "::1"):
            with open(os.environ["NETWORK_LOG"], "a") as log:
                log.write(f"{name} {address}\\n")
            raise OSError("测试时断网")
        return original(self, address, *rest)
    return call
class _Socket(socket.socket):
    connect = _refuse("connect", socket.socket.connect)
    connect_ex = _refuse("connect_ex", socket.socket.connect_ex)
_lookup = socket.getaddrinfo
def _getaddrinfo(host, *rest, **more):
    return _refuse("lookup", lambda self, address: _lookup(host, *rest, **more))(None, (host or "localhost",))
socket.socket, socket.getaddrinfo = _Socket, _getaddrinfo
'''


def run(book, place, network_log):
    """Run a copy of the notebook where it lies; returns its cells with outputs."""
    guard = place / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(NO_NETWORK, "utf-8")
    nb = nbformat.read(book, as_version=4)
    client = NotebookClient(nb, timeout=120, allow_errors=True,
                            resources={"metadata": {"path": str(book.parent)}})
    client.execute(env={**os.environ, "PYTHONPATH": str(guard), "NETWORK_LOG": str(network_log),
                        "CRM_COURSE": str(PROJECT)})
    return nb.cells


def troubles(cells):
    """(cell, what is wrong with its outputs)."""
    for cell in cells:
        for output in cell.get("outputs", []):
            text = json.dumps(output, ensure_ascii=False)
            if output.output_type == "error":
                yield cell.source, "\n".join(output.traceback)
            elif output.get("name") == "stderr" or any(
                    word in text for word in ("Glyph", "Warning", 'data-state=\\"trouble\\"')):
                yield cell.source, text


@pytest.mark.parametrize(("book", "answered"), [
    *((b, False) for b in LESSONS + ASSIGNMENTS), *((b, True) for b in LESSONS)],
    ids=lambda v: "/".join(v.parts[-3:]) if hasattr(v, "parts") else ("全做对" if v else "没做过"))
def test_runs_offline_without_error_or_warning(book, answered, tmp_path):
    folder = tmp_path / "book"
    shutil.copytree(book.parent, folder, ignore=shutil.ignore_patterns("answers*.json", ".*"))
    if answered:
        tasks = [t for path in (folder / "tasks").glob("*.json") for t in read_tasks(path).values()]
        records = {t["id"]: {"answer": KINDS[t["kind"]].key_answer(t)} for t in tasks if "key" in t}
        (folder / "answers.json").write_text(json.dumps({"format": 1, "answers": records}), "utf-8")
    log = tmp_path / "network.log"
    cells = run(folder / book.name, tmp_path, log)
    assert list(troubles(cells)) == []
    assert not log.exists(), log.read_text("utf-8")
    assert all(c.execution_count for c in cells if c.cell_type == "code"), "每一格都跑到了"
    if not answered:
        kept = [json.loads(path.read_text("utf-8"))["answers"] for path in folder.glob("answers*.json")]
        assert kept in ([], [{}]), "只是打开看看，不许留下答案；抽题的种子可以留下"


def test_troubles_are_seen(tmp_path):
    """The net itself: a refused connection, a warning, a traceback and a trouble card are all caught."""
    bad = ["import urllib.request\ntry: urllib.request.urlopen('http://192.0.2.1/', timeout=2)\n"
           "except OSError as e: print(e)",
           "import warnings\nwarnings.warn('Glyph 20013 missing')", "1 / 0",
           "import crmlib as crm\ncrm.task('9.9-1')", "print('没事')"]
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in bad])
    nbformat.write(nb, tmp_path / "a.ipynb")
    cells = run(tmp_path / "a.ipynb", tmp_path, tmp_path / "network.log")
    assert "断网" in cells[0].outputs[0].text
    assert "192.0.2.1" in (tmp_path / "network.log").read_text("utf-8")
    assert [source for source, _ in troubles(cells)] == bad[1:4]
