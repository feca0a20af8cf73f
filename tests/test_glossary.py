"""术语表的页面：词都在，当文字显示，读不出来就说出来。"""

import json

from crmlib import glossary, paths


def test_every_term_of_the_course():
    page = glossary.page()
    terms = json.loads((paths.notebooks() / "course.json").read_text("utf-8"))["terms"]
    assert len(terms) >= 30 and page.count("<th scope='row'>") == len(terms)
    assert "加权总分" in page


def test_odd_terms_and_a_broken_course(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_COURSE", str(tmp_path))
    (tmp_path / "notebooks").mkdir()
    path = tmp_path / "notebooks" / "course.json"
    path.write_text(json.dumps({"terms": [{"term": "<b>", "means": "<script>", "unit": "1.1"}]}), "utf-8")
    assert "&lt;b&gt;" in glossary.page() and "<td><script>" not in glossary.page()
    for broken in ("{", '{"terms": 3}', "[]"):
        path.write_text(broken, "utf-8")
        assert "读不出来" in glossary.page()
