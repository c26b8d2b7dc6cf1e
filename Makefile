# make run · talk · pipeline · test · check · bench · load · hosting · pictures · fresh · lock. Needs Python 3.11-3.13, make and a POSIX shell; uv is used where it is there.
.POSIX:
PY = .venv/bin/python

help:
	@echo "make run    install what is missing and open the playground on http://127.0.0.1:8501"
	@echo "make talk   make run, and phones in your network can vote (ADDRESS=<one of this machine> where it has several)"
	@echo "make pipeline  run the whole pipeline for the first quarter of 2013, from four sources to served predictions"
	@echo "make test   run every test (a browser is found or installed for the browser tests)"
	@echo "make check  formatting, lint and types"
	@echo "make bench  measure latency, compute and payloads (ratios within one run; LAB=formats for one lab, QUICK=1 for one tab a lab)"
	@echo "make load   measure one shared server under many visitors (SESSIONS=25 MINUTES=5 OPENS=500)"
	@echo "make hosting  one table: that load, every fault and bad input by its test, the answer of a tweak (SESSIONS, MINUTES, OPENS)"
	@echo "make pictures  take the README's pictures again (LAB=formats for one)"
	@echo "make fresh  prove make run and make test on a clean clone, for each Python (PYTHONS='3.12 3.13' for some)"
	@echo "make lock   rebuild requirements.txt and requirements-dev.txt from the .in files"

.venv/bin/python:
	@set -e; \
	python=$$(for p in python3.13 python3.12 python3.11 python3; do \
	  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { echo $$p; break; }; \
	done); \
	if [ -z "$$python" ]; then echo "The playground needs Python 3.11, 3.12 or 3.13 on the PATH: install one, then run make again."; exit 1; fi; \
	echo "Making .venv with $$python"; \
	if command -v uv >/dev/null 2>&1; then uv venv --quiet --python "$$python" .venv; else "$$python" -m venv .venv; fi

# The stamps hold the checksum of the lock that was installed: a changed lock installs again, an unchanged one costs nothing.
.venv/requirements.txt.installed: requirements.txt .venv/bin/python
	@lock=requirements.txt; $(INSTALL)

.venv/requirements-dev.txt.installed: requirements-dev.txt .venv/requirements.txt.installed
	@lock=requirements-dev.txt; $(INSTALL)

INSTALL = set -e; echo "Installing $$lock (about 30 s with uv, 2 to 3 minutes with pip)"; \
	if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(PY) -r $$lock; \
	else $(PY) -m pip install --quiet --disable-pip-version-check -r $$lock; fi; \
	cp $$lock .venv/$$lock.installed

run: .venv/requirements.txt.installed
	@echo "The playground starts on http://127.0.0.1:$${STREAMLIT_SERVER_PORT:-8501} (Ctrl-C stops it)"
	@headless=true; if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; then headless=false; fi; \
	exec .venv/bin/streamlit run app.py --server.headless=$$headless

# The server is reached from the network; its guard lets other machines at the page of a vote alone (SECURITY.md, "A talk's room").
talk: .venv/requirements.txt.installed
	@export PLAYGROUND_TALK=$${ADDRESS:-auto}; $(PY) -m engine.rooms.network && \
	echo "The playground starts on http://127.0.0.1:$${STREAMLIT_SERVER_PORT:-8501}/talks, for this machine alone (Ctrl-C stops it)" && \
	exec .venv/bin/streamlit run app.py --server.address=0.0.0.0 --browser.serverAddress=127.0.0.1 --server.headless=true

pipeline: .venv/requirements.txt.installed
	@$(PY) -m engine.pipeline run --from 2013-01-01 --to 2013-03-31

# In three parts side by side, each with a workspace of its own: one alone leaves half of two cores idle, and Prefect's tests
# mostly wait. Spark's JVM is started in one part only, Prefect's server in another (and both by the browser tests' servers).
# The browser tests come last in theirs: their servers find what the pages of all parts have measured.
PAGES = (pages or spark) and not prefect and not browser
PREFECT = prefect and not browser
test: .venv/requirements-dev.txt.installed
	@browser=$$($(PY) -m tests.browser.find --install) || browser=; left_out=; \
	if [ -z "$$browser" ]; then \
	  if [ -n "$$CI" ]; then echo "FAILED: no browser here, and CI leaves nothing out."; exit 1; fi; \
	  left_out=--ignore=tests/browser; \
	fi; \
	proxy=; if ! command -v nginx >/dev/null && [ ! -x /usr/sbin/nginx ]; then \
	  if [ -n "$$CI" ]; then echo "FAILED: no nginx here, and CI leaves nothing out."; exit 1; fi; \
	  proxy=--deselect=tests/browser/test_hosted.py::test_nginx; \
	fi; \
	logs=$$(mktemp -d); failed=0; mkdir "$$logs/workspaces"; \
	export TEST_WORKSPACES="$$logs/workspaces" PLAYGROUND_BROWSER="$$browser"; \
	$(PY) -m pytest -m "$(PAGES)" $$left_out >"$$logs/pages" 2>&1 & pages=$$!; \
	$(PY) -m pytest -m "$(PREFECT)" $$left_out >"$$logs/prefect" 2>&1 & prefect=$$!; \
	{ $(PY) -m pytest -m "not ($(PAGES)) and not ($(PREFECT))" $$left_out $$proxy || touch "$$logs/failed"; } | tee "$$logs/rest"; \
	echo "Prefect, which ran beside that:"; wait $$prefect || failed=1; cat "$$logs/prefect"; \
	echo "Pages and Spark, which ran beside that:"; wait $$pages || failed=1; cat "$$logs/pages"; \
	[ ! -e "$$logs/failed" ] || failed=1; \
	echo "All parts:"; for part in pages prefect rest; do \
	  grep -E '^(FAILED|ERROR) ' "$$logs/$$part" || :; grep -E '^[= ]*[0-9]+ (passed|failed|error)' "$$logs/$$part" | tail -n 1; \
	done; rm -rf "$$logs"; \
	if [ -n "$$left_out" ]; then \
	  echo "LEFT OUT: tests/browser, for no Chromium or Chrome was found and none could be installed."; \
	fi; \
	$(PY) -m tests.engine.feature_store.stores; \
	if [ -n "$$proxy" ]; then echo "LEFT OUT: the tests of deploy/nginx.conf, for no nginx was found."; fi; \
	exit $$failed

check: .venv/requirements-dev.txt.installed
	@$(PY) -m ruff format --check . && $(PY) -m ruff check . && $(PY) -m mypy

bench: .venv/requirements-dev.txt.installed
	@PLAYGROUND_BROWSER="$$($(PY) -m tests.browser.find --install)" $(PY) -m tests.bench $(LAB)

load: .venv/requirements-dev.txt.installed
	@PLAYGROUND_BROWSER="$$($(PY) -m tests.browser.find --install)" \
	  $(PY) -m tests.bench.load --sessions $${SESSIONS:-25} --minutes $${MINUTES:-5} --opens $${OPENS:-500}

pictures: .venv/requirements-dev.txt.installed
	@PLAYGROUND_BROWSER="$$($(PY) -m tests.browser.find --install)" $(PY) -m tests.browser.pictures $(LAB)

hosting: .venv/requirements-dev.txt.installed
	@PLAYGROUND_BROWSER="$$($(PY) -m tests.browser.find --install)" \
	  $(PY) -m tests.bench.hosting --sessions $${SESSIONS:-25} --minutes $${MINUTES:-5} --opens $${OPENS:-500}

fresh: .venv/requirements-dev.txt.installed
	@PLAYGROUND_BROWSER="$$($(PY) -m tests.browser.find --install)" $(PY) -m tests.fresh

lock: .venv/requirements-dev.txt.installed
	@command -v uv >/dev/null 2>&1 || $(PY) -m pip install --quiet uv
	@for name in requirements requirements-dev; do \
	  PATH="$$PWD/.venv/bin:$$PATH" uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header \
	    $$name.in -o $$name.txt; done

.PHONY: help run talk pipeline test check bench load hosting pictures fresh lock
