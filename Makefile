# Each target is one script in scripts/; what it does and what it needs is written there.
# Arguments go through ARGS, as in: make test ARGS="-p kamstrup-kmp"

.DEFAULT_GOAL := help
.PHONY: help demo test test-home-assistant test-page page measure-gateway measure-page screenshots-page lint generate screenshots bench fuzz wheel zip clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1: \2/p' Makefile

demo: ## a simulated meter, read live; no hardware, no configuration (Ctrl-C ends it)
	@scripts/demo.sh $(ARGS)

test: ## install what the tests need, then run every test
	@scripts/test.sh $(ARGS)

lint: ## formatting, clippy, documentation, dependencies, layers, scripts
	@scripts/lint.sh $(ARGS)

generate: ## bring what is generated up to date: parts of the documentation, texts and icons
	@scripts/generate $(ARGS)
	@HEATMETER_GENERATE=1 cargo test -q -p heatmeter-gateway --test it documentation_is_current
	@scripts/generate-integration $(ARGS)
	@scripts/generate-brand $(ARGS)

page: ## build the gateway's page; the program takes it in when it is built next
	@scripts/page.sh $(ARGS)

test-page: ## the part of the tests that looks at the page with Chromium; ARGS chooses files
	@scripts/test-page.sh $(ARGS)

measure-page: ## how long Chromium takes to draw a year of hours and ten years of days
	@scripts/measure-page.sh

measure-gateway: ## memory, processor, time to the first value and size of the gateway; ARGS is how often it starts
	@scripts/measure-gateway.sh $(ARGS)

test-home-assistant: ## the part of the tests that needs Home Assistant; ARGS goes to its live tests
	@scripts/test-home-assistant.sh $(ARGS)

screenshots-page: ## the pictures of the page in docs/images/
	@scripts/screenshots-page.sh

screenshots: ## the pictures of docs/images/, from a real Home Assistant in Chromium
	@scripts/screenshots.sh

wheel: ## the Python package kamstrup-kmp for this machine, into dist/; ARGS goes to maturin
	@scripts/wheel.sh $(ARGS)

zip: ## the Home Assistant integration as the store wants it, into dist/
	@scripts/zip-integration

bench: ## criterion benchmarks; ARGS goes to criterion
	@scripts/bench.sh $(ARGS)

fuzz: ## every fuzz target for 60 s each; ARGS="600 frame" chooses seconds and targets
	@scripts/fuzz.sh $(ARGS)

clean: ## remove build output (the cache outside the tree stays)
	@rm -rf target fuzz/target dist
