"""把题目里的 Markdown 变成安全的 HTML，把反馈变成一张卡片。

先转义，再认标记：题目和答案里的 HTML 只会当文字显示，永远不会运行。
认得：段落、**粗体**、*斜体*、`代码`、列表、表格、``` 代码块、[文字](链接)。
"""

import re
from html import escape

_INLINE = (
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])"), r"<em>\1</em>"),
    # 只许链到网页、笔记本和本地文件，不许 javascript: 之类
    (re.compile(r"\[([^\]]+)\]\((https?://[^\s)]+|(?!//)[\w./#%\-]+)\)"),
     r'<a href="\2" target="_blank" rel="noopener">\1</a>'),
)
_ITEM = re.compile(r"\s*([-*]|\d+[.、)])\s+(.*)")


def markdown(text) -> str:
    """A small, safe subset of Markdown as HTML.

    >>> markdown("先看 **油价**。")
    '<p>先看 <strong>油价</strong>。</p>'
    >>> markdown("<b>不是标签</b>")
    '<p>&lt;b&gt;不是标签&lt;/b&gt;</p>'
    """
    blocks, lines = [], str(text).strip().split("\n")
    while lines:
        line = lines[0]
        if not line.strip():
            lines.pop(0)
        elif line.startswith("```"):
            lines.pop(0)
            code = _take(lines, lambda x: not x.startswith("```"))
            lines[:1] = []
            blocks.append(f"<pre><code>{escape(chr(10).join(code))}</code></pre>")
        elif _ITEM.match(line):
            items = [_ITEM.match(x).groups() for x in _take(lines, _ITEM.match)]
            tag = "ol" if items[0][0][0].isdigit() else "ul"
            blocks.append(f"<{tag}>" + "".join(f"<li>{inline(t)}</li>" for _, t in items) + f"</{tag}>")
        elif line.lstrip().startswith("|"):
            blocks.append(_table(_take(lines, lambda x: x.lstrip().startswith("|"))))
        else:
            words = [lines.pop(0), *_take(lines, _is_prose)]
            blocks.append("<p>" + "<br>".join(inline(w.strip()) for w in words) + "</p>")
    return "".join(blocks)


def inline(text) -> str:
    """Bold, italics, code and links within one line."""
    parts = re.split(r"`([^`]+)`", str(text))
    for place, part in enumerate(parts):
        part = escape(part)
        if place % 2:
            part = f"<code>{part}</code>"
        else:
            for pattern, replacement in _INLINE:
                part = pattern.sub(replacement, part)
        parts[place] = part
    return "".join(parts)


def _take(lines, keep) -> list[str]:
    taken = []
    while lines and keep(lines[0]):
        taken.append(lines.pop(0))
    return taken


def _is_prose(line) -> bool:
    return bool(line.strip()) and not line.startswith("```") and not line.lstrip().startswith("|") \
        and not _ITEM.match(line)


def _table(lines) -> str:
    rows = [[inline(c.strip()) for c in line.strip().strip("|").split("|")] for line in lines]
    if len(rows) > 1 and all(set(c) <= set("-: ") for c in rows[1]):
        head = "<thead><tr>" + "".join(f"<th>{c}</th>" for c in rows.pop(0)) + "</tr></thead>"
        rows.pop(0)
    else:
        head = ""
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table>{head}<tbody>{body}</tbody></table>"


# 状态：说法、记号、颜色（半透明底色在亮、暗两种主题里都看得清）
STATES = {
    "right": ("全对", "✓", "#2e7d4f"),
    "partial": ("部分正确", "◐", "#b7791f"),
    "wrong": ("不对", "✗", "#c0392b"),
    "malformed": ("格式不对", "!", "#8e5bb5"),
    "empty": ("还没答完", "…", "#5f7183"),
    "saved": ("已保存", "✓", "#2f6fb3"),
    "trouble": ("出了问题", "!", "#c0392b"),
}


def number(points: float) -> str:
    """2.0 → "2", 1.5 → "1.5"."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


class Card:
    """Something to say to the student: HTML in a notebook, plain text elsewhere."""

    def __init__(self, state: str, title: str, lines=(), answer: str = ""):
        self.state, self.title, self.lines, self.answer = state, title, list(lines), answer

    def __repr__(self) -> str:
        lines = [line.replace("**", "") for line in self.lines]
        return "\n".join([f"【{self.title}】", *lines, *([self.answer] if self.answer else [])])

    def _repr_html_(self) -> str:
        _, mark, colour = STATES[self.state]
        said = "".join(f"<div>{inline(line)}</div>" for line in self.lines)
        if self.answer:
            said += f'<div style="white-space:pre-wrap;margin-top:.4em">{escape(self.answer)}</div>'
        return (
            f'<div class="crm-card-note" data-state="{self.state}" style="border-left:.3em solid {colour};'
            f'background:{colour}1a;border-radius:.4em;padding:.6em .9em;margin:.3em 0;line-height:1.7">'
            f'<strong style="color:{colour}">{mark} {escape(self.title)}</strong>'
            f"{said}</div>"
        )
