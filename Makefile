# make demo, own, test, lint; make soak runs the long tests, make docs writes docs/commands.md. Each sets up .venv if needed.

VENV := .venv
# Our own bin/ comes first: pip copies scripts, and those copies would be out of date after an edit.
IN := PATH="$(CURDIR)/bin:$(CURDIR)/$(VENV)/bin:$$PATH"
SHELL := /bin/sh

.PHONY: demo own test soak lint docs clean
.DELETE_ON_ERROR:

# Where results go. Paths are relative to recipes/ or in the shell's quotes, since make splits names at spaces.
OUT ?= demo
FROM_RECIPES = case "$$path" in /*) ;; *) path=../$$path;; esac

demo: $(VENV)/.done
	path="$(OUT)"; $(FROM_RECIPES); $(IN) $(MAKE) -C recipes demo OUT="$$path"
	@echo 'Look at $(OUT)/sheet.png, $(OUT)/ganimation.gif and $(OUT)/walk.gif.'
	@echo 'To use the commands in this shell, type: . $(VENV)/bin/activate'

# All of it for your pictures: make own PICTURES=~/simpsons.zip [SIZE=64]
own: OUT = .
own: $(VENV)/.done
	path="$$PICTURES"; case "$$path" in "~/"*) path=$$HOME/$${path#"~/"};; esac; [ ! -e "$$path" ] || { $(FROM_RECIPES); }; \
	  pictures=$$path; path="$(OUT)"; $(FROM_RECIPES); $(IN) $(MAKE) -C recipes own OUT="$$path" PICTURES="$$pictures"

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
	@# A script's #! line, which pip writes, cannot have spaces in its path.
	case "$(CURDIR)" in *" "*) for script in bin/gan-*; do ln -sf "../../$$script" $(VENV)/bin/; done;; esac
	touch $@
