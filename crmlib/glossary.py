"""术语表：全课程一张，能查。数据在 ``course.json`` 里，由各单元的 terms 合成。"""

import json
from html import escape

from crmlib import paths


def page() -> str:
    """The glossary as a page of its own; says so where the course map cannot be read."""
    try:
        terms = json.loads((paths.notebooks() / "course.json").read_text("utf-8"))["terms"]
        rows = "".join(f"<tr><th scope='row'>{escape(t['term'])}</th><td>{escape(t['means'])}</td>"
                       f"<td>{escape(t['unit'])}</td></tr>" for t in terms)
    except (OSError, ValueError, KeyError, TypeError):
        return _PAGE.replace("{body}", "<p>课程地图 course.json 读不出来。重新复制一份课程文件夹。</p>")
    return _PAGE.replace("{body}", _TABLE.replace("{rows}", rows))


_TABLE = """<p><input id="find" type="search" placeholder="打几个字，马上找到" aria-label="查术语" autofocus>
<span id="found" role="status"></span></p>
<table><thead><tr><th>术语</th><th>大白话</th><th>单元</th></tr></thead><tbody>{rows}</tbody></table>
<script>
const rows = [...document.querySelectorAll("tbody tr")], found = document.getElementById("found");
const look = (word) => {
  for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(word);
  const left = rows.filter((row) => !row.hidden).length;
  found.textContent = left ? `${left} 个词` : "没有这个词，换个说法试试";
};
document.getElementById("find").addEventListener("input", (e) => look(e.target.value.trim().toLowerCase()));
look("");
</script>"""

_PAGE = """<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>术语表</title>
<meta name="viewport" content="width=device-width"><style>
body { margin: 0 auto; max-width: 60em; padding: 1.5em; font: 18px/1.6 "Microsoft YaHei", "PingFang SC",
  "Noto Sans CJK SC", sans-serif; color: #212121; background: #fff; color-scheme: light; }
input { font: inherit; padding: .3em .7em; width: min(20em, 70%);
  border: 1px solid #90a4ae; border-radius: .4em; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .4em .6em; border-bottom: 1px solid #dde3e8; }
tbody th { white-space: nowrap; color: #0d47a1; }
td:last-child, #found { color: #616161; }
thead th { position: sticky; top: 0; background: #fff; }
@media (max-width: 40em) { tbody th { white-space: normal; } }
</style></head><body><h1>术语表</h1>{body}</body></html>
"""
