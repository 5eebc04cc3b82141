# Everything runs in .venv; TORCH_INDEX picks another build of torch, for example
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cu128
PYTHON ?= python3
VENV ?= .venv
JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile
# What pip leaves out, on all processors: without bytecode every process would compile 730 modules, for seconds.
BYTECODE = $(BIN)/python -m compileall -qq -j 0 -x '/tests/|torch/testing' $(VENV) artgen plugins || true
PIP_FLAGS = -c constraints.txt $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

# Containers often set it. Modules that change while one works are compiled once, not by every process.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test quick durations lint declared figures size house bench gpu soak cluster gallery docs wheel release clean

demo: $(VENV)/installed  ## a trumpeter in 500 triangles: a still, a video, an .art and a .json file
	$(BIN)/artgen fit --recipe gallery/recipes/trumpeter-in-triangles.toml --video-size 720 --overwrite
	@echo "made in artgen-out/: trumpeter-triangle.png .mp4 .art .json"

test: $(VENV)/installed-dev  ## all tests but those of the night; says what was skipped and why
	$(BIN)/python -m tools.suite -j $(JOBS)

quick: $(VENV)/installed-dev  ## the tests that are neither slow nor need a browser
	$(BIN)/python -m tools.suite -j $(JOBS) -m "not slow and not browser"

durations: $(VENV)/installed-dev  ## all tests, and what each file takes, by which the next runs are ordered
	$(BIN)/python -m tools.suite -j $(JOBS) --record

lint: $(VENV)/installed-dev  ## style, format, types, the direction of imports, the size of rooms
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.size --check
	$(BIN)/python -m tools.picture --check

declared: $(VENV)/installed-dev  ## what follows from the keys of a recipe: tables of the documentation, types of artgen.fit
	$(BIN)/python -m tools.declared

figures: $(VENV)/installed-dev  ## the figures of README and docs, from benchmarks/RESULTS.md
	$(BIN)/python -m tools.figures --write

size: $(VENV)/installed-dev  ## lines that bear code in each room, beside its budget
	@$(BIN)/python -m tools.size

house: $(VENV)/installed-dev  ## figures of the house, and its picture in the documentation
	@$(BIN)/python -m tools.house
	$(BIN)/python -m tools.picture

bench: $(VENV)/installed  ## speed and memory on this machine
	$(BIN)/python -m benchmarks

gpu: $(VENV)/installed-dev  ## tests and benchmarks on the GPU of this machine, in some minutes
	$(PIP) $(PIP_FLAGS) -e '.[triton,webgpu]'
	$(BIN)/python -m benchmarks.gpu

soak: $(VENV)/installed-dev  ## every promise of docs/reliability.md in full size (hours)
	$(PIP) $(PIP_FLAGS) -e '.[soak]'
	$(BIN)/pip-audit --skip-editable
	$(BIN)/python -m soak --write

cluster: $(VENV)/installed-dev  ## all tests on a Ray cluster of three nodes on this machine, with 24 runs of 5 s (for the night)
	ARTGEN_TEST_RAY=long bash .ci/ray

gallery: $(VENV)/installed  ## stills, videos and a page of every recipe in gallery, into gallery/out
	$(BIN)/artgen gallery build -j $(JOBS) --studio

docs: $(VENV)/installed-docs  ## the documentation as a site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

wheel: $(VENV)/installed-dev  ## the wheel, alone of its kind in dist
	rm -f dist/artgen-*.whl
	$(BIN)/python -m build --wheel --outdir dist

release: $(VENV)/installed-dev  ## sdist and wheel, checked and tried in clean environments; prints what to upload
	$(PIP) $(PIP_FLAGS) -e '.[release]'
	bash .ci/release

clean:
	rm -rf $(VENV) build dist artgen-out gallery/out gallery/out-quick site

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "artgen needs Python 3.11 or newer; try: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) $(PIP_FLAGS) -e .
	@$(BYTECODE)
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) $(PIP_FLAGS) -e '.[dev]'
	@$(BYTECODE)
	@touch $@ $(VENV)/installed

$(VENV)/installed-docs: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) $(PIP_FLAGS) -e '.[docs]'
	@$(BYTECODE)
	@touch $@ $(VENV)/installed

# All that is tried in one environment, as .ci/run does.
$(VENV)/installed-all: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) $(PIP_FLAGS) -e '.[dev,docs,triton,webgpu,ray]'
	@$(BYTECODE)
	@touch $@ $(VENV)/installed $(VENV)/installed-dev $(VENV)/installed-docs
