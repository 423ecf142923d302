"""A machine that cannot print says so, and when to ask again."""

import sys

import pytest

from finance.printing import papers


def test_a_machine_without_pango_says_that_it_cannot_print(monkeypatch, tmp_path):
    """WeasyPrint says so by an OSError when it is imported: it does not find the library."""
    package = tmp_path / "weasyprint"
    package.mkdir()
    (package / "__init__.py").write_text("raise OSError('cannot load library libpango-1.0-0')\n")
    for name in [each for each in sys.modules if each.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(papers.PrintingUnavailable) as refused:
        papers.pdf("<p></p>", {})
    assert (refused.value.code, refused.value.context["retry_after_s"]) == ("printing_unavailable", 3600)
