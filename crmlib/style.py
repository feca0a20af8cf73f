"""每节课的第一行：``crm.setup()``。图里的中文、投影时看得清的图、安静的输出。

``setup()`` itself imports nothing heavy. It leaves a note for the import system: the moment
matplotlib or pandas is first imported, by us or by a student's own ``import matplotlib.pyplot as plt``,
our settings are applied. A lesson made of cards never imports either, and pays nothing.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"

# Okabe–Ito 色盲也分得清的颜色；去掉投影时看不清的黄色
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#4D4D4D")

# 生僻字（GB 2312 之外，多见于人名）从这些字体里补；电脑上没有的会略过
_FALLBACK = ("Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", "DejaVu Sans")

_FIGURE = {
    "axes.unicode_minus": False,
    "figure.figsize": (8, 4.5),
    "figure.dpi": 110,
    "savefig.dpi": 150,
    "figure.constrained_layout.use": True,
    "font.size": 14,
    "axes.titlesize": 17,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.labelsize": 14,
    "xtick.labelsize": 13,
    "ytick.labelsize": 13,
    "legend.fontsize": 13,
    "legend.frameon": False,
    "lines.linewidth": 2.8,
    "lines.markersize": 8,
    "axes.linewidth": 1.2,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.8,
}


def setup():
    """Make figures, tables and messages readable in Chinese; call it at the top of every lesson.

    Cheap (no pandas, no matplotlib), safe to call twice, and needs no network.
    Warnings are hidden from students; ``python -W error`` or ``PYTHONWARNINGS`` brings them back.
    """
    if not sys.warnoptions:
        import logging
        import warnings

        warnings.simplefilter("ignore")
        # matplotlib 用日志说英文提醒（如“正在建立字体缓存”），会变成学生看到的红字
        logging.getLogger("matplotlib").setLevel(logging.ERROR)
    for name, prepare in {"matplotlib": _prepare_figures, "pandas": _prepare_tables}.items():
        if name in sys.modules:
            prepare()
        elif not any(isinstance(f, _AfterImport) and f.name == name for f in sys.meta_path):
            sys.meta_path.insert(0, _AfterImport(name, prepare))
    _faults_as_cards()


class _AfterImport:
    """Calls ``then()`` once, right after the module ``name`` has been imported for the first time."""

    def __init__(self, name, then):
        self.name, self.then = name, then

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)  # 下面才会找到真正的模块
        spec = find_spec(fullname)
        if spec is not None:
            load = spec.loader.exec_module

            def exec_module(module):
                load(module)
                self.then()

            spec.loader.exec_module = exec_module
        return spec


def _faults_as_cards():
    """In a notebook, show a CourseError (it says what to do) as a card, not as a traceback."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return
    from crmlib.cli import CourseError

    def show(shell, kind, fault, trace, tb_offset=None):
        from IPython.display import display

        from crmlib.tasks.markup import Card

        display(Card("trouble", "这里要改一下", [str(fault)]))

    shell.set_custom_exc((CourseError,), show)


def _prepare_figures():
    import matplotlib
    from cycler import cycler
    from matplotlib import font_manager

    for file in sorted(FONTS.glob("*.ttf")):
        font_manager.fontManager.addfont(file)
    known = set(font_manager.get_font_names())
    family = ["Noto Sans SC", *(name for name in _FALLBACK if name in known)]
    matplotlib.rcParams.update(_FIGURE)
    matplotlib.rcParams["axes.prop_cycle"] = cycler(color=PALETTE)
    # seaborn 和不少样式会把字体改回 sans-serif，所以两处都写
    matplotlib.rcParams["font.family"] = family
    matplotlib.rcParams["font.sans-serif"] = family


def _prepare_tables():
    import pandas

    # 一格里的话不截断：截了的卡片没法读
    pandas.set_option("display.max_rows", 20, "display.max_columns", 30, "display.max_colwidth", None,
                      "display.unicode.east_asian_width", True)
