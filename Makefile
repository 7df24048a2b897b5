# Two commands are all a newcomer needs: `make demo` and `make test`. Both install what is missing first.

# Libraries that TickRing links, and what the tests judge it with (OpenSSL's server for TLS, the vendors' own Python
# clients in a virtual environment).
BUILD_PACKAGES := libcurl4-openssl-dev liblz4-dev libsqlite3-dev libwslay-dev zlib1g-dev pkg-config
TEST_PACKAGES := openssl python3 python3-venv gzip
# Model checkers, and the compilers that they need.
MODEL_PACKAGES := relacy-dev spin g++ gcc

SWIFT := swift
PRODUCTS := $(CURDIR)/.build/release
# Root installs directly; anybody else through sudo, after the packages have been named.
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: demo test check-models products lint format bench deps deps-test deps-models clean
.NOTPARALLEL:

demo: products
	$(PRODUCTS)/tickring demo $(DEMO)

# The end-to-end tests run the release products: what the users run is what the tests run. One test at a time: many
# wait for processes and sockets, and two cores' worth of threads waiting would starve the servers they wait for.
test: deps-test lint products check-models
	$(SWIFT) build --build-tests
	TICKRING_PRODUCTS=$(PRODUCTS) $(SWIFT) test --skip-build --no-parallel

# The ring's protocol under model checkers; one line a model and a mutant, none of which may survive.
check-models: deps-models
	@$(MAKE) --no-print-directory -j2 -C Tests/Models BUILD=$(CURDIR)/.build/models

products: deps
	$(SWIFT) build -c release

bench: products
	$(PRODUCTS)/tickring-bench $(BENCH)

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Benchmarks

format:
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests Benchmarks

deps:
	@$(call install_missing,$(BUILD_PACKAGES))

deps-test:
	@$(call install_missing,$(TEST_PACKAGES))

deps-models:
	@$(call install_missing,$(MODEL_PACKAGES))

clean:
	rm -rf .build

define install_missing
missing=""; \
for package in $(1); do \
  dpkg-query --show --showformat='$${Status}' "$$package" 2>/dev/null | grep -q 'ok installed' \
    || missing="$$missing $$package"; \
done; \
if [ -n "$$missing" ]; then \
  echo "installing missing Debian packages:$$missing"; \
  $(SUDO) apt-get update -qq && \
  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
fi
endef
