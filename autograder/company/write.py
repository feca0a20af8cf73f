"""写文件：要么整张表写好，要么一点也不留。"""

import errno
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path

from crmlib.cli import CourseError

STAGE = ".数据写入中"


@contextmanager
def staging(folder: Path):
    """A folder to write in, beside the final place; gone afterwards, however it ends.

    Raises:
        CourseError: the disk is full, or the folder may not be written to.
    """
    stage, ours = folder / STAGE, not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(stage, ignore_errors=True)  # 上次断电留下的
        stage.mkdir()
        yield stage
    except OSError as fault:
        raise CourseError(explain(fault, folder)) from fault
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        if ours:
            with suppress(OSError):
                folder.rmdir()  # 出了错、什么也没写成的空文件夹不留


def explain(fault: OSError, folder) -> str:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"磁盘满了，{folder} 写不下。清出空间再试；原来的表没有动。"
    if isinstance(fault, FileExistsError | NotADirectoryError):
        return f"{folder} 是一个文件，不是文件夹。换一个文件夹名。"
    if isinstance(fault, PermissionError):
        return (
            f"写不进 {fault.filename or folder}。文件是不是正在 Excel 或 WPS 里开着？"
            "关掉再试；还不行就换一个文件夹。"
        )
    return f"写不进 {folder}（{fault.strerror or fault}）。原来的表没有动。"


def replace_files(files: dict, folder: Path):
    """Write ``{name: bytes}`` into a folder: first all of them aside, then each put in place whole."""
    with staging(folder) as stage:
        for name, content in files.items():
            (stage / name).write_bytes(content)
        for name in files:  # 有一个正开着，就一个也不换
            if (folder / name).exists():
                with open(folder / name, "r+b"):
                    pass
        for name in files:
            os.replace(stage / name, folder / name)


def swap_folder(new: Path, place: Path):
    """Put a finished folder in its place; the old one, if any, goes away only afterwards."""
    old = place.with_name(place.name + ".旧")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        os.replace(place, old)
    os.replace(new, place)
    shutil.rmtree(old, ignore_errors=True)
