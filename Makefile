# Two commands do all the set-up: `make run` and `make test`. Nothing but Python 3.10+ with venv is assumed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# make run DATA=cifar100 downloads CIFAR-100 if it is not there; DATA=shapes needs nothing
DATA ?=

.PHONY: help run test outputs lab app screenshots report release export readme clean

help:           ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*##/ -/'

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -e '.[dev,bench]'
	@touch $@

run: $(READY)   ## train a dense ViT and a MoE-ViT side by side: a table and figures in three minutes
	$(BIN)/moe_compare model=vit_quick,moe_vit_quick train=quick optim=small $(if $(DATA),data=$(DATA)) $(if $(filter cifar100,$(DATA)),--download)
	@echo "notebooks: make lab   (or $(BIN)/jupyter lab nbs/index.ipynb)"

test: $(READY)  ## all that CI runs: gates and every notebook's tests
	$(BIN)/python .ci/gates.py

outputs: $(READY)  ## run every notebook again and store what it shows
	$(BIN)/moe_outputs

lab: $(READY)   ## open the notebooks
	$(BIN)/jupyter lab nbs/index.ipynb

app: $(READY)   ## the widgets as a page: which expert takes what, and what if it were away?
	$(BIN)/voila nbs/app.ipynb --preheat_kernel=True --pool_size=1

screenshots: $(READY)  ## try the widgets in a browser (Chromium must be there), renew the README's pictures
	$(BIN)/python -c "from moe_course.analysis.on_screen import main; main(['--pictures', 'nbs/images'])"

report: $(READY)  ## renew every number, table and figure of the report, then both PDFs (needs TeX)
	REPORT=1 $(BIN)/jupyter nbconvert --to notebook --execute --inplace experiments.ipynb
	$(BIN)/nbdev_clean --fname experiments.ipynb
	$(MAKE) -C report

release: $(READY)  ## code, report and slides as one zip
	mkdir -p dist && git archive --format=zip --prefix=moe_course/ -o dist/moe_course.zip HEAD

export: $(READY)  ## after editing notebooks: write the package, renew index, map and README.md, clean the notebooks
	$(BIN)/nbdev_export
	$(BIN)/python -c "from moe_course.checks.overview import main; main()"
	$(BIN)/nbdev_clean
	$(BIN)/python .ci/gates.py --readme

clean:          ## remove the environment; data and runs stay
	rm -rf $(VENV) build *.egg-info
