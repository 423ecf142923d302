# Every task of this repository; `make` alone lists them. ARGS is handed on: make demo ARGS=--all. Test workers bring their own servers; a file stays with one, for its fixtures.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
WORKERS := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
PACKAGES := shared customers finance service_desk returns reporting apotheca
ARGS ?=

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install uv, the environment and our packages
	@deploy/setup.sh

demo: ## Start the system and turn real receipts into monthly ledgers
	@deploy/setup.sh demo && exec $(BIN)/python -m apotheca demo $(ARGS)

test: ## Run every test, on as many cores as there are (four at most)
	@deploy/setup.sh tests && $(BIN)/pytest $(WORKERS) $(ARGS)

faults: ## Break everything on purpose, in the full form: takes an hour
	@deploy/setup.sh tests
	@APOTHECA_TEST_FAULTS=full $(BIN)/pytest tests/fault --ignore=tests/fault/test_nemesis.py $(ARGS)

bank-files: ## Read 2,000 generated bank statements from every format, and import 2,000 in pages: takes minutes
	@deploy/setup.sh tests
	@APOTHECA_BANK_READS=2000 APOTHECA_BANK_EXAMPLES=2000 $(BIN)/pytest -q tests/unit/finance/test_bank_files.py \
	  tests/integration/finance/test_bank_files.py -k 'read_the_same or however_pages' $(ARGS)

nemesis: ## Strike at random for ten minutes, and find what is broken on purpose; APOTHECA_NEMESIS_SEED repeats a run
	@deploy/setup.sh tests
	@APOTHECA_NEMESIS_SECONDS=$${APOTHECA_NEMESIS_SECONDS:-600} $(BIN)/pytest -s tests/fault/test_nemesis.py $(ARGS)

attack: ## Compare how quick others are served under attack, and what rest costs; wants a machine that does nothing else
	@deploy/setup.sh tests && APOTHECA_TEST_TIMING=alone $(BIN)/pytest tests $(ARGS)

bench: setup ## Measure against programs that do the bare minimum
	@$(BIN)/python -m deploy.bench.run $(ARGS)

soak: setup ## Let 20 months of a minute each pass and see that nothing grows
	@deploy/setup.sh tests && APOTHECA_SOAK_MONTH_S=60 $(BIN)/pytest tests/fault/test_soak.py $(ARGS)

fmt: setup ## Format the code
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

lint: setup ## Check style and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .

types: setup ## Check types
	@$(BIN)/mypy $(PACKAGES:%=-p %)

arch: setup ## Check who may import whom
	@$(BIN)/lint-imports

generate: setup ## Write what is generated: API documents, docs/events.md, traceability, catalogs
	@$(BIN)/python -m deploy.generate

examples: ## Record the examples of the API documents anew, from the services
	@deploy/setup.sh tests
	@APOTHECA_RECORD_EXAMPLES=yes $(BIN)/pytest -q tests/integration/test_whatever_any_route_accepts_is_applied.py -k example
	@$(BIN)/python -m deploy.generate

lock: setup ## Write the locks anew
	@deploy/lock.sh $(ARGS)

secrets: setup ## Make the secret files of the deployment
	@$(BIN)/python -m apotheca secrets

up: secrets ## Start the deployment in containers and wait until it is healthy
	@docker compose up --build --detach --wait $(ARGS)

down: ## Stop the deployment; make down ARGS=--volumes also forgets its data
	@docker compose down $(ARGS)

roll: ## Exchange running services without failing a request; make roll ARGS=finance
	@deploy/roll.sh $(ARGS)

ci: ## Do what continuous integration does
	@.ci/run

.PHONY: help setup demo test faults bank-files nemesis attack bench soak fmt lint types arch generate examples lock secrets up down roll ci
