"""课程的文件夹在哪里。"""

import os
from pathlib import Path


def root() -> Path:
    """Folder that holds ``datasets/`` and ``notebooks/``.

    ``CRM_COURSE`` names it if set; otherwise it is the folder above this package,
    or the nearest folder above the working directory that has a ``datasets/``.
    """
    if os.environ.get("CRM_COURSE"):
        return Path(os.environ["CRM_COURSE"])
    package = Path(__file__).resolve().parent.parent
    here = Path.cwd().resolve()
    for folder in (package, here, *here.parents):
        if (folder / "datasets" / "dictionary.toml").is_file():
            return folder
    return package


def datasets() -> Path:
    return root() / "datasets"


def notebooks() -> Path:
    return root() / "notebooks"
