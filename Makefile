# aiMindServe: `make demo` to try it, `make test` to prove it. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv/bin
SETUP := $(PYTHON) scripts/bootstrap.py
PORT ?= 8080
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: demo demo-hub test check gen bench soak test-engines screenshots ui dist docs setup clean help

demo: ## set everything up and start with the small model that ships with the project (CPU, offline)
	@$(SETUP) runtime ui
	@exec $(VENV)/aimindserve start --demo --port $(PORT) --data-dir .demo $(ARGS)

demo-hub: ## the same with emulated Hugging Face and ModelScope hubs: search and deploy the guide's models by name
	@$(SETUP) runtime ui
	@exec $(VENV)/python -m aimindserve.sim.demo_hub --port $(PORT) --data-dir .demo $(ARGS)

test: ## set everything up, then every check and every test that needs no GPU (CI runs this)
	@$(SETUP) dev docs wheels ui chromium fonts
	@exec $(VENV)/python scripts/run_checks.py --tests

check: ## lint, types, import contract, size budgets; no tests
	@$(SETUP) dev node
	@exec $(VENV)/python scripts/run_checks.py

gen: ## regenerate the OpenAPI document and the page's typed client
	@$(SETUP) dev node
	@$(VENV)/python scripts/gen_openapi.py
	@$(VENV)/python scripts/gen_docs.py
	@$(VENV)/python scripts/gen_fit_table.py
	@PATH="$(CURDIR)/$(VENV):$$PATH" npm --prefix ui run gen

bench: ## measure the gateway against nginx on this machine
	@$(SETUP) dev
	@exec $(VENV)/python -m bench.gateway $(ARGS)

soak: ## load and kills for an hour, installation on empty systems; SOAK_SECONDS=600 for ten minutes of load
	@$(SETUP) dev wheels ui
	@exec $(VENV)/python -m pytest -m soak tests $(ARGS)

test-engines: ## real engines: installs vLLM for the CPU (2 GB in .cache), and uses GPUs where there are any
	@$(SETUP) dev
	@exec $(VENV)/python -m pytest -m "gpu or engines" tests/gpu tests/real_engines $(ARGS)

screenshots: ## pictures of every page: 2 languages, 2 colour schemes, 2 widths, into .cache/screenshots; ARGS="FOLDER --only dashboard-zh"
	@$(SETUP) dev ui chromium fonts
	@exec $(VENV)/python -m tests.e2e.screenshots $(ARGS)

ui: ## build the page into the package
	@$(SETUP) ui

dist: ## build the release into dist/ (wheel, sdist, installer, SBOM); ARGS=--wheels: with all dependencies
	@$(SETUP) dev ui
	@exec $(VENV)/python scripts/build_dist.py $(ARGS)

docs: ## build the documentation site into site/
	@$(SETUP) docs
	@exec env NO_MKDOCS_2_WARNING=1 $(VENV)/mkdocs build --quiet

setup: ## only set up what `make test` needs
	@$(SETUP) dev docs wheels ui chromium fonts

clean: ## remove what was built (keeps .venv and .demo)
	rm -rf .cache dist build site ui/node_modules ui/dist src/aimindserve/ui_dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'
