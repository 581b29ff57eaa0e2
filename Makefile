# Three verbs for a newcomer: make demo, make test, make lint (and make soak, the long tests). Each sets up what it needs in .venv.

VENV := .venv
IN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
SHELL := /bin/sh

.PHONY: demo test soak lint clean
.DELETE_ON_ERROR:

demo: $(VENV)/.done
	$(IN) $(MAKE) -C recipes demo OUT="$(CURDIR)/demo"
	@echo "Look at demo/sheet.png, demo/ganimation.gif and demo/walk.gif"

test: $(VENV)/.done
	$(IN) pytest -q -n 2

soak: $(VENV)/.done
	$(IN) pytest -q -m soak

lint: $(VENV)/.done
	$(IN) ruff check
	$(IN) ruff format --check
	$(IN) mypy

clean:
	rm -rf $(VENV) demo

$(VENV)/.done: setup.py $(wildcard bin/*)
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --editable '.[digits,test]'
	touch $@
