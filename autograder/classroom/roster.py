"""这件东西是谁交的：文件名、文件夹名、回执里的学号或姓名，对上成绩库里的名单。"""

import re
from dataclasses import dataclass

from sqlalchemy import select

from autograder.classroom.course import NAME
from autograder.classroom.unpack import Refused


@dataclass
class Roster:
    """``names``: {student id: full name, "" if unknown}; empty if the class has no list yet."""

    names: dict[str, str]

    @classmethod
    def read(cls, book) -> "Roster":
        """The students in nbgrader's gradebook, whoever put them there."""
        from nbgrader.api import Student

        rows = book.db.execute(select(Student.id, Student.last_name, Student.first_name))
        return cls({i: full_name(i, last, first) for i, last, first in rows})

    def student(self, said: list[str]) -> str:
        """The one student that these words (most trusted first) mean. Raises Refused if none, or several.

        Without a list, the first word is believed if it can be a folder's name.
        """
        if not self.names:
            word = next((w.strip(" .-_") for w in said if w.strip(" .-_")), "")
            if not word or not NAME.fullmatch(word) or len(word) > 60:
                raise Refused("看不出是谁的。把文件名改成“学号-单元.zip”，再收一次")
            return word
        for word in said:
            found = self._meant(word)
            if len(found) == 1:
                return found.pop()
            if len(found) > 1:
                raise Refused(f"“{word}”可能是 {'、'.join(sorted(found))}。把文件名改成“学号-单元.zip”")
        seen = "、".join(f"“{w}”" for w in said[:2] if w) or "文件名"
        raise Refused(f"{seen}不在名单里。先加进名单（crm class roster），或者把文件名改成“学号-单元.zip”")

    def _meant(self, word: str) -> set[str]:
        word = word.strip()
        if word in self.names:
            return {word}
        parts = set(filter(None, re.split(r"[\s_\-+（）()，,。.【】\[\]]+", word)))
        exact = {i for i, name in self.names.items() if i in parts or (name and name in parts)}
        # “25物流1班张三作业”：姓名写在中间；同名、套着名的（张三、张三丰）就不猜
        return exact or {i for i, name in self.names.items()
                         if len(name) > 1 and name in word and not _within_longer(name, word, self.names)}

    def shown(self, student: str) -> str:
        """``20260101 张三``"""
        return f"{student} {self.names.get(student, '')}".strip()


def full_name(student, last, first) -> str:
    """张 + 三 → 张三; `crm class roster` keeps the number as last name, so that formgrader shows it."""
    return f"{'' if last == student else last or ''}{first or ''}".strip()


def _within_longer(name, word, names) -> bool:
    return any(len(other) > len(name) and name in other and other in word for other in names.values())
