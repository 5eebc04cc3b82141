"""What axe finds on a page."""

from __future__ import annotations

import pytest


def serious_faults(page) -> list:
    """Each serious or critical one: its rule, the element, and what to do."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    return [
        (each["id"], node["target"], node["failureSummary"])
        for each in axe.run(page).response["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
