"""crm.setup()：图里没有豆腐块，没有红字，不画图就不装 matplotlib。"""

import os
import subprocess
import sys

import pytest

from crmlib.style import FONTS


def run(code, *flags):
    """Run ``code`` in a fresh interpreter (import state must be clean); returns (stdout, stderr)."""
    done = subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, encoding="utf-8",
                          env={**os.environ, "PYTHONUTF8": "1", "MPLBACKEND": "agg"})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr.strip()


def test_setup_imports_nothing_heavy():
    out, err = run("""
import sys, crmlib as crm
crm.setup(); crm.setup()
print([m for m in ("matplotlib", "pandas", "numpy", "seaborn") if m in sys.modules])""")
    assert (out, err) == ("[]", "")


@pytest.mark.parametrize("order", [
    "crm.setup(); import matplotlib.pyplot as plt",
    "import matplotlib.pyplot as plt; crm.setup()",
    "crm.setup(); import matplotlib; crm.setup(); import matplotlib.pyplot as plt",
])
def test_students_own_figure_has_chinese_and_no_warning(order):
    """-W error: a missing glyph, or any other warning, would stop the program."""
    out, err = run(f"""
import io, sys, crmlib as crm
{order}
fig, ax = plt.subplots()
ax.plot([1, 2], [-3, 4], label="苏畅物流")
ax.set_title("订单增长率（%），−5～5 ①②㎡℃"); ax.set_xlabel("季度", style="italic"); ax.legend()
fig.savefig(io.BytesIO(), format="png")
print(plt.rcParams["font.family"][0], [f for f in sys.meta_path if getattr(f, "name", "") == "matplotlib"])
""", "-W", "error")
    assert (out, err) == ("Noto Sans SC []", "")


def test_bold_is_really_bold():
    out, _ = run("""
import crmlib as crm; crm.setup()
from matplotlib import font_manager as fm
print(fm.findfont(fm.FontProperties(weight="bold")), fm.findfont(fm.FontProperties()))""", "-W", "error")
    bold, regular = out.split()
    assert bold.endswith("NotoSansSC-Bold.ttf") and regular.endswith("NotoSansSC-Regular.ttf")


def test_warnings_reach_us_but_not_students():
    code = "import crmlib as crm; crm.setup(); import warnings; warnings.warn('something')"
    assert run(code)[1] == ""
    assert "something" in run(code, "-W", "default")[1]


def test_in_a_notebook_a_course_error_is_a_card_not_a_traceback(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    out, err = run("""
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("import crmlib as crm; crm.setup()")
print(shell.run_cell("from crmlib.methods.environment import ife; ife([])").success)
print(shell.run_cell("two = 2").success)""")
    assert "因素表是空的" in out and "Traceback" not in out + err
    assert out.splitlines()[-2:] == ["False", "True"]  # 这一格算出错，下一格照常


def test_pandas_tables_are_short():
    out, err = run("import crmlib as crm, pandas as pd; crm.setup(); print(pd.options.display.max_rows)")
    assert (out, err) == ("20", "")


@pytest.mark.parametrize("name", ["NotoSansSC-Regular.ttf", "NotoSansSC-Bold.ttf"])
def test_font_holds_all_of_gb2312(name):
    from fontTools.ttLib import TTFont

    have = TTFont(FONTS / name).getBestCmap()
    need = {bytes([a, b]).decode("gb2312") for a in range(0xB0, 0xF8) for b in range(0xA1, 0xFF)
            if not (a == 0xD7 and b > 0xF9)}
    assert len(need) == 6763
    assert not [c for c in need if ord(c) not in have]
    assert (FONTS / name).stat().st_size < 2.5e6
    assert "SIL OPEN FONT LICENSE" in (FONTS / "OFL.txt").read_text(encoding="utf-8")
