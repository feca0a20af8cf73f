"""Jupyter 服务器扩展：课程首页、学习档案、术语表。只读，不改任何文件。"""

import os
from pathlib import Path

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web


def _jupyter_server_extension_points():
    return [{"module": "crmlib.server"}]


def _load_jupyter_server_extension(server):
    app = server.web_app
    base = app.settings["base_url"]
    app.add_handlers(".*$", [
        (url_path_join(base, "crm/?"), StartHandler),
        (url_path_join(base, "crm", "home"), HomeHandler),
        (url_path_join(base, "crm", "portfolio"), PortfolioHandler),
        (url_path_join(base, "crm", "glossary"), GlossaryHandler),
    ])
    # 前端据此决定哪些笔记可以打开就运行：只有课程自己的，学生交来的作业不在其中
    prefix = notebooks_prefix(server.root_dir)
    app.settings.setdefault("page_config_data", {})["crmNotebooks"] = "" if prefix is None else prefix or "."


def notebooks_prefix(root_dir) -> str | None:
    """Path of ``notebooks/`` as Jupyter names it below its root; None if it is not below it.

    ``""`` means that it is the root itself.
    """
    from crmlib import paths

    try:
        below = paths.notebooks().resolve().relative_to(Path(os.path.expanduser(root_dir)).resolve())
    except ValueError:
        return None
    return "" if below == Path() else below.as_posix()


class StartHandler(JupyterHandler):
    """``/crm``: a fresh, tidy JupyterLab that shows the home page."""

    @web.authenticated
    def get(self):
        # Lab 只认不带等号的 reset：上次开着的标签都收起来，回到首页
        self.redirect(url_path_join(self.base_url, "lab") + "?reset")


class HomeHandler(JupyterHandler):
    """``/crm/home?route=js``: the home page as an HTML fragment."""

    @web.authenticated
    def get(self):
        from crmlib import home

        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(home.page(
            route=self.get_query_argument("route", ""),
            base=self.base_url,
            prefix=notebooks_prefix(self.serverapp.root_dir),
        ))


class GlossaryHandler(JupyterHandler):
    """``/crm/glossary``: every term of the course, to be searched."""

    @web.authenticated
    def get(self):
        from crmlib.glossary import page

        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(page())


class PortfolioHandler(JupyterHandler):
    """``/crm/portfolio``: the student's portfolio as a page of its own; ``?download=1``: as a file."""

    @web.authenticated
    def get(self):
        from crmlib.portfolio import NAME, page

        download = bool(self.get_query_argument("download", ""))
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        if download:
            self.set_attachment_header(f"{NAME}.html")
        self.finish(page(served=not download))
