"""一格的输出：学生的进程交来的，收拾成 nbformat 准许的样子；看得出它碰到了哪个上限。"""

import errno
import re

from autograder.engine import runner


def error(name, words) -> dict:
    return {"output_type": "error", "ename": name, "evalue": words, "traceback": [f"{name}：{words}"]}


def clean(outputs) -> list:
    """Outputs that a student's process sent, as nbformat allows them; anything else is dropped."""
    made = []
    for output in outputs if isinstance(outputs, list) else []:
        kind = output.get("output_type") if isinstance(output, dict) else None
        if kind == "stream" and isinstance(output.get("text"), str):
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            made.append({"output_type": kind, "name": name, "text": output["text"]})
        elif kind == "error":
            lines = output.get("traceback")
            lines = [str(line) for line in lines] if isinstance(lines, list) else []
            made.append({"output_type": kind, "ename": str(output.get("ename"))[:200],
                         "evalue": str(output.get("evalue"))[:5000], "traceback": lines})
        elif kind in ("display_data", "execute_result") and isinstance(output.get("data"), dict):
            data = {k: v for k, v in output["data"].items() if isinstance(v, str) or k.endswith("json")}
            meta = output.get("metadata") if isinstance(output.get("metadata"), dict) else {}
            made.append({"output_type": kind, "data": data, "metadata": meta,
                         **({"execution_count": 1} if kind == "execute_result" else {})})
    return made


def stopped(output) -> str:
    """Which limit or guard an output of a student's cell speaks of, in plain words; "" if none.

    >>> stopped({"output_type": "error", "ename": "MemoryError", "evalue": ""})
    '用的内存太多'
    """
    if output["output_type"] == "stream":
        return "印的字太多，后面的没有留下" if output["text"].endswith(runner.CUT) else ""
    if output["output_type"] != "error":
        return "的图和表太大，没有留下" if output["data"].get("text/plain") == runner.TOO_LARGE else ""
    if output["ename"] == "MemoryError":
        return "用的内存太多"
    number = re.match(r"\[Errno (\d+)\]", output["evalue"])
    return _REFUSED.get(int(number[1][:4]), "") if number else ""


_REFUSED = {errno.EPERM: "做了不许做的事（上网、动别的程序），被拦住了",
            errno.EACCES: "要读写别处的文件，被拦住了",
            errno.EFBIG: "写的文件太大", errno.ENOSPC: "写的文件太多", errno.EAGAIN: "开的程序太多",
            errno.EMFILE: "打开的文件太多", errno.ENETUNREACH: "要上网，被拦住了"}


def shorten(output, most) -> None:
    if output["output_type"] == "stream" and most > 0 and output["text"].count("\n") >= most:
        output["text"] = "\n".join([*output["text"].split("\n")[:most - 1], "... Output truncated ..."])
