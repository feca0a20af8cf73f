"""学生交来的一件东西（zip 或文件夹）：只读进内存，不往磁盘上解。

坏的、大的、想写到外面去的，在这里就挡下，说明白；别的照收。
"""

import io
import re
import stat
import zipfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from crmlib.handin import MOST_ALL, MOST_FILE, MOST_FILES

MOST_ENTRIES, MOST_ZIP = 5_000, 500_000_000  # 个、字节：再大就不打开
_CACHES = (".ipynb_checkpoints", "__pycache__", "__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini",
           ".answers.lock")
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.I)
_OTHERS = {".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz"}


class Refused(Exception):
    """A thing that cannot be taken in; the text says why, in the teacher's words."""


@dataclass
class Parcel:
    """``files``: {path with ``/``: content}; ``dates``: when changed; ``notes``: what was left out."""

    files: dict[str, bytes] = field(default_factory=dict)
    dates: dict[str, datetime] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, name: str, size: int, date: datetime | None, read) -> None:
        """Take one file in if its name is safe and it is not too big; ``read(limit)`` gives its content."""
        name = name.replace("\\", "/")
        parts = [p for p in name.split("/") if p not in ("", ".")]
        if any(p in _CACHES or p.startswith("._") or p.startswith("~$") for p in parts):
            return
        if why := _unsafe(name, parts):
            self.notes.append(f"{_shown(name)} {why}，没有解开")
            return
        name = "/".join(parts)
        if name.casefold() in map(str.casefold, self.files):
            self.notes.append(f"{_shown(name)} 有两个，留下第一个")
        elif size > MOST_FILE:
            self.notes.append(f"{_shown(name)} 有 {size / 1e6:.0f} MB，太大，没有收")
        elif len(self.files) >= MOST_FILES:
            if len(self.files) == MOST_FILES and "文件太多" not in "".join(self.notes):
                self.notes.append(f"文件太多，只收了前 {MOST_FILES} 个")
        elif self.size + size > MOST_ALL:
            self.notes.append(f"{_shown(name)} 没有收：加起来超过了 {MOST_ALL / 1e6:.0f} MB")
        else:
            content = read(size + 1)
            if len(content) > size:  # 正在看的时候它变大了
                self.notes.append(f"{_shown(name)} 比它说的大，没有收")
                return
            self.files[name] = content
            self.size += len(content)
            if date:
                self.dates[name] = date


def _unsafe(name: str, parts: list[str]) -> str | None:
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "写着绝对路径"
    if ".." in parts:
        return "想写到文件夹外面去"
    if not parts or len(name) > 200 or any(re.search(r'[\x00-\x1f:*?"<>|]', p) or p.endswith((".", " "))
                                           or _DEVICES.fullmatch(p) for p in parts):
        return "的名字在 Windows 上不能用"
    return None


def _shown(name: str) -> str:
    name = re.sub(r"[\x00-\x1f\x7f]", "?", name)
    return f"“{name if len(name) <= 60 else '…' + name[-58:]}”"


def opened(path: Path) -> Parcel:
    """What a zip or a folder holds. Raises Refused if it is neither or cannot be read."""
    if path.is_symlink():
        raise Refused("是一个链接，不跟过去")
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() in _OTHERS:
        raise Refused(f"是 {path.suffix} 格式，只认 zip。让他重新压成 zip，或者你解开，放成一个文件夹")
    if path.suffix.lower() != ".zip":
        raise Refused("不是 zip，也不是文件夹")
    try:
        size = path.stat().st_size
        if size > MOST_ZIP:
            raise Refused(f"有 {size / 1e6:.0f} MB，太大，没有打开。让他只交作业文件夹")
        with path.open("rb") as file:
            return _zip(file)
    except OSError as fault:
        raise Refused(f"读不了（{fault.strerror or fault}）") from None


def _folder(path: Path) -> Parcel:
    parcel, seen = Parcel(), 0
    for found in sorted(path.rglob("*"), key=_important):
        name = found.relative_to(path).as_posix()
        if found.is_symlink():
            parcel.notes.append(f"{_shown(name)} 是一个链接，没有收")
        elif found.is_file():
            if (seen := seen + 1) > MOST_ENTRIES:
                parcel.notes.append(f"文件太多，只看了前 {MOST_ENTRIES} 个")
                break
            try:
                about = found.stat()
                with found.open("rb") as file:
                    parcel.add(name, about.st_size, datetime.fromtimestamp(about.st_mtime), file.read)
            except OSError as fault:
                parcel.notes.append(f"{_shown(name)} 读不了（{fault.strerror}）")
    return parcel


def _zip(file, inner: bool = False) -> Parcel:
    try:
        packed = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, RuntimeError):
        raise Refused("这个 zip 打不开，坏了，或者没有传完") from None
    parcel = Parcel()
    with packed:
        entries = packed.infolist()
        if len(entries) > MOST_ENTRIES:
            raise Refused(f"里面有 {len(entries)} 个文件，太多，没有打开")
        if any(e.flag_bits & 1 for e in entries):
            raise Refused("这个 zip 有密码。让他去掉密码，再交")
        nested = []
        for entry in sorted(entries, key=lambda e: _important(Path(e.filename))):
            if entry.is_dir():
                continue
            name, mode = _name(entry), entry.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                parcel.notes.append(f"{_shown(name)} 是一个链接，没有解开")
                continue
            if name.lower().endswith(".zip"):
                nested.append(entry)
                continue
            parcel.add(name, entry.file_size, _date(entry), lambda limit, e=entry: read(packed, e, limit))
        # 有人把 zip 又压了一层：里面只有它，就再开一层，不再往下
        work = any(n.endswith((".ipynb", "answers.json")) for n in parcel.files)
        if len(nested) == 1 and not work and not inner:
            content = read(packed, nested[0], MOST_FILE + 1)
            if len(content) <= MOST_FILE:
                within = _zip(io.BytesIO(content), inner=True)
                within.notes = parcel.notes + within.notes
                return within
        parcel.notes += [f"{_shown(_name(e))} 是压在里面的 zip，没有再打开" for e in nested]
    return parcel


def read(packed, entry, limit: int) -> bytes:
    """At most ``limit`` bytes of an entry of an open zip; Refused whatever way it is broken."""
    try:
        with packed.open(entry) as file:
            return file.read(limit)
    except (zipfile.BadZipFile, RuntimeError, EOFError, ValueError, OSError) as fault:
        raise Refused(f"里面的 {_shown(_name(entry))} 解不开（{fault or type(fault).__name__}）") from None
    except Exception as fault:  # zlib.error 等：坏在压缩的内容里
        raise Refused(f"里面的 {_shown(_name(entry))} 坏了（{type(fault).__name__}）") from None


def _name(entry) -> str:
    """The entry's name. Old Chinese Windows wrote GBK and did not say so; zipfile then reads it as cp437."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _date(entry) -> datetime | None:
    try:
        return datetime(*entry.date_time)
    except ValueError:
        return None


def _important(path: Path) -> tuple:
    """Answers and notebooks first, so that the limits never cost them."""
    return (path.suffix not in (".ipynb", ".json"), path.as_posix())
