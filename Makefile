# make demo, own, test, lint; make soak runs the long tests, make docs writes docs/commands.md. Each sets up .venv if needed.

VENV := .venv
IN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
SHELL := /bin/sh

.PHONY: demo own test soak lint docs clean
.DELETE_ON_ERROR:

demo: $(VENV)/.done
	$(IN) $(MAKE) -C recipes demo OUT="$(CURDIR)/demo"
	@echo "Look at demo/sheet.png, demo/ganimation.gif and demo/walk.gif"

# All of it for your pictures: make own PICTURES=~/simpsons.zip [SIZE=64]
own: $(VENV)/.done
	$(IN) $(MAKE) -C recipes own OUT="$(CURDIR)" PICTURES="$(or $(abspath $(wildcard $(PICTURES))),$(PICTURES))"

test: $(VENV)/.done
	$(IN) pytest -q -n 2

soak: $(VENV)/.done
	$(IN) pytest -q -m soak

lint: $(VENV)/.done
	$(IN) ruff check
	$(IN) ruff format --check
	$(IN) mypy

docs: $(VENV)/.done
	$(IN) python docs/commands.py >docs/commands.md

clean:
	rm -rf $(VENV) demo

$(VENV)/.done: setup.py $(wildcard bin/*)
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --editable '.[digits,test]'
	touch $@
