"""Shared fixtures: one thread for torch, and photographs at sizes that keep tests fast."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from zipfile import ZipFile

import pytest

# Read when torch is imported: waiting threads sleep instead of spinning on shared cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Kernels compiled by one test run serve the next.
os.environ.setdefault("ARTGEN_CACHE", str(Path(__file__).parents[1] / ".cache"))
# Settings of the user change no test.
os.environ["ARTGEN_CONFIG"] = ""
# Without a GPU, Triton's kernels run in its interpreter; read when Triton is imported.
if not Path("/dev/nvidiactl").exists():
    os.environ.setdefault("TRITON_INTERPRET", "1")
# What is printed depends on no terminal. Numba colours an error for every rule that does not apply,
# where colorama is installed: 3 % of the time that it compiles. Read when numba is imported.
os.environ["COLUMNS"] = "80"
os.environ["NUMBA_DISABLE_ERROR_MESSAGE_HIGHLIGHTING"] = "1"
# No test opens a window.
os.environ["BROWSER"] = "true"

import torch
from helpers import save_photo, use_index
from hypothesis import HealthCheck, settings

from artgen import fit
from artgen.base.process import collect_rarely
from artgen.cli import main
from artgen.registry import Registry

# Compilers leave millions of objects, and looking through them takes longer than many a test.
collect_rarely()

# No test loses its power, and waiting for the disk took an eighth of the time of some files. Tests of
# what is durable put their own function there; commands in processes of their own sync as ever.
os.fsync = lambda descriptor: None

# The same examples every time, so that a change is not blamed for what chance found;
# `pytest --hypothesis-profile=night` looks for others. A busy machine is not blamed either.
patient = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("repeatable", derandomize=True, **patient)
settings.register_profile("night", max_examples=300, **patient)
settings.load_profile("repeatable")


# What took long when it was recorded, so that no mark grows old: `make durations`.
DURATIONS = json.loads((Path(__file__).parent / "durations.json").read_text(encoding="utf-8"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow; leave the tests of the night out, unless `-m` or a name asks for them."""
    for item in items:
        file, _, name = item.nodeid.partition("::")
        if name in DURATIONS.get(file, {}).get("slow", {}):
            item.add_marker("slow")
    named = any("::" in argument for argument in config.args)
    if named or "nightly" in config.option.markexpr:
        return
    late = [item for item in items if item.get_closest_marker("nightly")]
    config.hook.pytest_deselected(items=late)
    items[:] = [item for item in items if item not in late]


@pytest.fixture(scope="session", autouse=True)
def single_thread():
    """Torch's thread pool is slow where cores are oversubscribed, and these pictures are small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _the_same_numbers_every_time(monkeypatch):
    """Also for tests that draw from torch's own generator, and for fits without a seed.

    Nor may the clock decide between arithmetics, where a processor has instructions for bfloat16.
    """
    # `torch.manual_seed` also asks for devices that are not there, and formats the stack for each.
    seeded = torch if torch.accelerator.is_available() else torch.default_generator
    seeded.manual_seed(0)
    for trial in ("field.objective.FieldTrial", "codec.objective.CodecTrial"):
        monkeypatch.setattr(f"artgen.families.{trial}.seconds", lambda self, arithmetic: 1.0)
    monkeypatch.setattr("secrets.randbits", random.Random(0).getrandbits)


@pytest.fixture(scope="session")
def astronaut():
    """A function from a side in pixels to the astronaut, float32 [3, side, side], 1.0 = 255."""
    from skimage import data

    photo = torch.from_numpy(data.astronaut()).permute(2, 0, 1).float() / 255

    def resized(side: int) -> torch.Tensor:
        return torch.nn.functional.interpolate(photo[None], (side, side), mode="area")[0]

    return resized


@pytest.fixture(scope="module")
def small_pictures():
    """Draw the finished thing small, for tests of what else a maker gives.

    Such a picture takes most of the time. `test_tasks` has each in its size, and a test that made
    something anew would find other bytes of a small one too.
    """
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("block", "embroidery", "glass", "quilt", "stencil"):
            patch.setattr(f"artgen_makers.{kind}._PIXELS", 280)
        yield


@pytest.fixture
def rng():
    """A torch generator with a fixed seed."""
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="module")
def registry() -> Registry:
    """The plugins that are installed, and none from the environment."""
    return Registry(environ={})


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A small picture in a file."""
    return save_photo(tmp_path)


@pytest.fixture(scope="session")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a small drawing in curved strokes, for machines that follow them."""
    path = tmp_path_factory.mktemp("drawing") / "curves.art"
    found = fit("sample:astronaut", primitive="bezier", count=25, size=64, engine="climb", seed=1)
    path.write_bytes(found.to_bytes())
    return path


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run the test in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]):
    """A function that runs `artgen`: exit code, stdout, stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(each) for each in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def package_index(tmp_path, monkeypatch):
    """An index for pip, in a folder, with two versions of one package."""
    shelf = tmp_path / "index" / "artgen-heart"
    shelf.mkdir(parents=True)
    for version in ("1.0", "1.1"):
        metadata = (
            "Metadata-Version: 2.4\nName: artgen-heart\n"
            f"Version: {version}\nSummary: Hearts.\nLicense: MIT\n\n# Two lobes\n"
        )
        wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        files = {"METADATA": metadata, "WHEEL": wheel, "RECORD": ""}
        with ZipFile(shelf / f"artgen_heart-{version}-py3-none-any.whl", "w") as archive:
            for name, text in files.items():
                archive.writestr(f"artgen_heart-{version}.dist-info/{name}", text)
    links = "".join(f'<a href="{file.name}">{file.name}</a>' for file in shelf.glob("*.whl"))
    (shelf / "index.html").write_text(links)
    use_index(monkeypatch, shelf.parent.as_uri())


@pytest.fixture
def device():
    """The first adapter of WebGPU; tests without one are skipped."""
    pytest.importorskip("wgpu", reason="needs artgen[webgpu]")
    from artgen.raster import webgpu_device

    if not webgpu_device.find_adapters():
        pytest.skip("needs a driver for WebGPU, such as mesa-vulkan-drivers")
    return webgpu_device.open_device("webgpu")
