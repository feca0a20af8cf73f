"""样式表：几种控件会在一页里，谁也不许改了谁的样子。"""

import re
from collections import defaultdict
from pathlib import Path

import crmlib

FOLDERS = [Path(crmlib.__file__).parent / name for name in ("widgets", "boards")]
# 只改变量，不定样子
SHARED = {"crm-look", "crm-task", "crm-board"}


def test_no_class_is_styled_in_two_sheets():
    sheets = defaultdict(set)
    for path in (p for folder in FOLDERS for p in folder.glob("*.css") if p.stem != "shared"):
        css = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
        for selectors in re.findall(r"([^{}]+)\{", css):
            for selector in selectors.split(","):
                first = re.match(r"\s*[a-z]*\.(crm-[\w-]+)", selector)
                if first and first[1] not in SHARED:
                    sheets[first[1]].add(path.name)
    assert {name: found for name, found in sheets.items() if len(found) > 1} == {}
