"""Installation measured on a fresh clone with empty caches: ``python benchmarks/install.py [uv] [pip]``.

Needs the network. Prints, for each installer: seconds of the first start until .venv is ready and until
the server answers, seconds of the second start until it answers, and the size of .venv.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PORT = int(os.environ.get("PORT", "8931"))
LIMIT = 1200


def main() -> None:
    for installer in sys.argv[1:] or ["uv", "pip"]:
        folder = Path(tempfile.mkdtemp(prefix="crm-install-"))
        try:
            print(json.dumps(measure(folder, installer), ensure_ascii=False), flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path, installer: str) -> dict:
    course = folder / "course"
    subprocess.run(["git", "clone", "--quiet", ROOT, course], check=True)
    env = os.environ | {"CRM_INSTALLER": installer}
    for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "MPLCONFIGDIR"):
        env[name] = str(folder / name)  # 像一台从没用过的电脑
    installed, first = start(course, env)
    _, second = start(course, env)
    _, third = start(course, env)
    size = sum(f.lstat().st_size for f in (course / ".venv").rglob("*") if not f.is_symlink())
    return {
        "installer": installer, "python": sys.version.split()[0],
        "installed s": installed, "first answer s": first, "second start s": second, "third start s": third,
        "venv MB": round(size / 1e6),
    }


def start(course: Path, env: dict) -> tuple[float | None, float]:
    """Seconds until the stamp of a finished install appears and until the server answers."""
    stamp, installed = course / ".venv" / "crm-installed.json", None
    fresh = not stamp.exists()
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, course / "start.py", "--no-browser", "--port", str(PORT)],
                               env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while not answers():
            if fresh and installed is None and stamp.exists():
                installed = round(time.monotonic() - began, 1)
            if process.poll() is not None or time.monotonic() - began > LIMIT:
                raise SystemExit(f"start.py did not get to a server (exit code {process.returncode})")
            time.sleep(0.05)
        return installed, round(time.monotonic() - began, 1)
    finally:
        process.terminate()
        process.wait()


def answers() -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{PORT}/api", timeout=2).close()
    except urllib.error.HTTPError:
        return True  # 要口令，也是回答
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
