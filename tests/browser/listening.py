"""What goes wrong on a page, or outside."""

from __future__ import annotations


def listen(page, complaints, *allowed):
    """Note errors, and requests for addresses that do not begin as those that are allowed."""

    def requested(request):
        if not request.url.startswith(allowed):
            complaints.append(request.url)

    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", requested)
