# Every target sets itself up: in .venv, or with LINE=classic (TensorFlow 2.15, Python 3.11) in .venv-classic.
# PYTHON= names an interpreter; otherwise the newest fitting one is taken. GPU=1 adds TensorFlow's CUDA packages.
LINE ?= current
GPU ?=
PYTHON ?=
ifeq ($(LINE),classic)
VENV := .venv-classic
CONSTRAINTS := constraints-tf215.txt
EXTRAS := dev,addons
else
VENV := .venv
CONSTRAINTS := constraints.txt
EXTRAS := dev
endif
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest -q --numprocesses=auto --maxprocesses=4 --dist=worksteal

DATA_DIR ?= data
OUT_DIR ?= runs
PROFILE ?= paper
RECIPE ?= paper
DATASETS ?= all
# Folder of the authors' networks, used instead of training.
CHECKPOINTS ?=
ARGS ?=

.PHONY: help setup quickstart demo demo-leaves demo-heart bench test test-slow fuzz survive lint reproduce reproduce-lv reproduce-cvppp reproduce-ctc docs clean

help:
	@echo "make setup            the newest of Python 3.13, 3.12, 3.11 into .venv: GPU=1 LINE=classic PYTHON="
	@echo "make quickstart       track a simulated video with a network that comes with it (a minute); see runs/quickstart/01_RES/report.html"
	@echo "make demo             simulate, train, track and score small videos on the CPU (minutes); see runs/demo/report.html"
	@echo "make demo-leaves      simulate rosettes, train, segment and score them on the CPU; see runs/demo-leaves/report.html"
	@echo "make demo-heart       simulate hearts, train a recurrent and another network three times each and compare them; see runs/demo-heart/seeds.md"
	@echo "make test             lint and tests; with LINE=classic the tests under TensorFlow 2.15"
	@echo "make test-slow        the tests that start whole trainings, hosts or clusters; LINE="
	@echo "make bench            time clustering, training, data, tracking; see benchmarks/results.json"
	@echo "make fuzz             12,000 damaged files into every reader"
	@echo "make survive          runs killed at random moments end as undisturbed ones (half an hour)"
	@echo "make reproduce        all three tables of the paper, see runs/reproduction.html: DATA_DIR= PROFILE=paper|cpu|smoke RECIPE=paper|released"
	@echo "make reproduce-lv     Table 1a, left ventricle: DATA_DIR= PROFILE= RECIPE="
	@echo "make reproduce-cvppp  Table 1b, leaves: DATA_DIR= PROFILE= RECIPE="
	@echo "make reproduce-ctc    Table 2, six Cell Tracking Challenge data sets: DATA_DIR= PROFILE=paper|cpu|smoke RECIPE=paper|released DATASETS=name,... CHECKPOINTS="
	@echo "make lint             ruff and mypy"
	@echo "make docs             the documentation as a website, in build/docs"

setup:
	@LINE='$(LINE)' GPU='$(GPU)' PYTHON='$(PYTHON)' sh tools/setup.sh $(VENV) $(CONSTRAINTS) $(EXTRAS)

quickstart: setup
	rm -rf $(OUT_DIR)/quickstart
	$(PY) -m cosembed demo --output=$(OUT_DIR)/quickstart $(ARGS)

# For so small a network, operations beside each other on a core each are faster than one after the other on all.
demo: export TF_NUM_INTRAOP_THREADS ?= 1
demo: setup
	$(PY) -m experiments.simulated --data_dir=$(OUT_DIR)/demo-data --out_dir=$(OUT_DIR) --name=demo --fold=0 --profile=cpu $(ARGS)
	rm -rf $(OUT_DIR)/demo-unseen
	$(PY) -m cosembed demo --output=$(OUT_DIR)/demo-unseen --network=$(OUT_DIR)/demo/test_02 --frames=40 --seed=71 --videos=3

demo-leaves: setup
	$(PY) -m experiments.simulated_leaves --data_dir=$(OUT_DIR)/demo-data --out_dir=$(OUT_DIR) --name=demo-leaves --fold=0 --profile=cpu $(ARGS)

demo-heart: setup
	$(PY) -m experiments.simulated_hearts --data_dir=$(OUT_DIR)/demo-data --out_dir=$(OUT_DIR) --name=demo-heart --fold=0 --profile=cpu --seeds=1,2,3 $(ARGS)

bench: setup
	$(PY) -m benchmarks.run $(ARGS)

# The rules and types are those of the current line.
test: $(if $(filter classic,$(LINE)),setup,lint)
	$(PYTEST) -m 'not slow' $(ARGS)

test-slow: setup
	$(PYTEST) -m slow $(ARGS)

fuzz: setup
	$(PY) -m tests.robustness.fuzz --inputs=12000 $(ARGS)

survive: setup
	$(PY) -m pytest -q -s tests/robustness/survival.py $(ARGS)

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy cosembed experiments benchmarks

reproduce: setup
	$(PY) -m experiments.reproduce --data_dir=$(DATA_DIR) --out_dir=$(OUT_DIR) --profile=$(PROFILE) --recipe=$(RECIPE) \
	  --datasets=$(DATASETS) $(if $(CHECKPOINTS),--checkpoints=$(CHECKPOINTS)) $(ARGS)

reproduce-lv: setup
	$(PY) -m experiments.lv --data_dir=$(DATA_DIR) --out_dir=$(OUT_DIR) --profile=$(PROFILE) --recipe=$(RECIPE) $(ARGS)

reproduce-cvppp: setup
	$(PY) -m experiments.cvppp --data_dir=$(DATA_DIR) --out_dir=$(OUT_DIR) --profile=$(PROFILE) --recipe=$(RECIPE) $(ARGS)

reproduce-ctc: setup
	$(PY) -m experiments.reproduce_ctc --data_dir=$(DATA_DIR) --out_dir=$(OUT_DIR) --datasets=$(DATASETS) \
	  $(if $(CHECKPOINTS),--checkpoints=$(CHECKPOINTS),--profile=$(PROFILE) --recipe=$(RECIPE)) $(ARGS)

docs: setup
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable '.[docs]'
	$(PY) -m mkdocs build --strict

clean:
	rm -rf .venv .venv-classic build *.egg-info
