"""The list of decisions: docs/adr/README.md."""

from pathlib import Path

from deploy.generate.repository import GENERATED, ROOT

FOLDER = ROOT / "docs" / "adr"


def documents() -> dict[Path, str]:
    """Number, title, area and status of every page, taken from the page itself."""
    lines = [
        "# Decisions",
        "",
        GENERATED,
        "",
        "Each page says what was decided, why, and which test enforces it.",
        "Start a new one from [0000-template.md](0000-template.md) (see [ADR-0001](0001-record-decisions.md)).",
        "",
        "| number | decision | area | status |",
        "|---|---|---|---|",
    ]
    for page in sorted(FOLDER.glob("[0-9]*.md")):
        if page.name.startswith("0000"):
            continue
        title, fields = _read(page)
        area, status = fields.get("Area", "all"), fields.get("Status", "Accepted")
        lines.append(f"| {page.name[:4]} | [{title}]({page.name}) | {area} | {status} |")
    return {FOLDER / "README.md": "\n".join(lines) + "\n"}


def _read(page: Path) -> tuple[str, dict[str, str]]:
    lines = page.read_text().splitlines()
    title = lines[0].removeprefix("# ").partition(": ")[2] or lines[0].removeprefix("# ")
    fields: dict[str, str] = {}
    for line in lines[1:]:
        if line.startswith("## "):
            break
        for part in line.split("    "):  # the compact form puts the three on one line
            name, separator, value = part.strip().partition(": ")
            if separator:
                fields[name] = value.strip()
    return title, fields
