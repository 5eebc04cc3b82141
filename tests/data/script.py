"""A script that uses what artgen offers to scripts; tests/test_types.py checks its types."""

import artgen
from artgen.events import Event


def stop_early(event: Event) -> bool:
    return isinstance(event, artgen.events.Evaluated) and (event.psnr or 0) > 30


run = artgen.stream("photo.jpg", "gaussian", count=200, quality="draft", observe=stop_early)
for step in run:
    decibels: float | None = step.psnr
    print(f"{step.step} of {step.total_steps}: loss {step.loss:.4f}, {decibels} dB")
    if step.picture is not None:
        height, width, _ = step.picture.shape
art: artgen.Art = run.art
losses: list[float] = [each.loss for each in art.history]
art.save("photo.art")
art.save("photo.svg", artgen.art.ExportRequest(size=1024))
again = artgen.load("photo.art")
print(again.render(640).mean(), again.psnr, losses[-1])
poster = artgen.fit("photo.jpg", "triangle", count=300, palette="riso", polish=True, history=10)
if poster.film is not None:
    print(poster.film.duration)
wrong = artgen.stream("photo.jpg", steps="many").art  # the check itself can fail
