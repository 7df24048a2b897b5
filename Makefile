# Two commands are all a newcomer needs: `make demo` and `make test`. Both install what is missing first.

# Libraries that TickRing links, and what the tests judge it with (OpenSSL's server for TLS, the vendors' own Python
# clients in a virtual environment).
BUILD_PACKAGES := libcurl4-openssl-dev liblz4-dev libsqlite3-dev libssl-dev libwslay-dev zlib1g-dev pkg-config
# What the ring benchmark compares itself with; a peer whose package cannot be had is left out.
PEER_PACKAGES := g++ libboost-dev iceoryx libiceoryx-posh-dev
TEST_PACKAGES := openssl nghttp2-server python3 python3-venv gzip gcc clang
# Model checkers, and the compilers that they need.
MODEL_PACKAGES := relacy-dev spin g++ gcc

SWIFT := swift
PRODUCTS := $(CURDIR)/.build/release
# Root installs directly; anybody else through sudo, after the packages have been named.
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: demo test check-models check-sanitizers check-kernels check-threads soak-ring soak-archive soak-faults soak-feed fuzz fuzz-venues products \
  lint format bench bench-archive bench-decode bench-ring bench-store ring-peers deps deps-test deps-models clean
.NOTPARALLEL:

demo: products
	$(PRODUCTS)/tickring demo $(DEMO)

# The end-to-end tests run the release products: what the users run is what the tests run. One test at a time: many
# wait for processes and sockets, and two cores' worth of threads waiting would starve the servers they wait for.
test: deps-test lint products check-models check-kernels check-threads
	$(SWIFT) build --build-tests
	SWIFT=$(SWIFT) TICKRING_PRODUCTS=$(PRODUCTS) Tests/run.sh .build/test.log

# The ring's protocol under model checkers; one line a model and a mutant, none of which may survive.
check-models: deps-models
	@$(MAKE) --no-print-directory -j2 -C Tests/Models BUILD=$(CURDIR)/.build/models

# The ring under AddressSanitizer and, in its C, UBSan, built for that alone; it must also reject a read behind the end
# of an array, put in on purpose.
check-sanitizers: deps
	$(call build_trial,address,-Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined)
	.build/address/debug/ring-trial threads 200000
	.build/address/debug/ring-trial soak 100
	.build/address/debug/ring-trial siege 2
	! .build/address/debug/ring-trial threads 1 --seeded-bug overflows > .build/address/seeded.log 2>&1
	@grep -q 'heap-buffer-overflow' .build/address/seeded.log && echo "AddressSanitizer rejects the seeded bug"

# The archive's kernels under AddressSanitizer and UBSan, by a program of their own that is quick to build.
KERNEL_TRIAL := .build/kernel-trial
KERNEL_ROUNDS := 1000
check-kernels: deps-test
	@mkdir -p .build
	gcc -std=c17 -O1 -g -Wall -Wextra -Wno-unknown-pragmas -Werror -fsanitize=address,undefined -fno-sanitize-recover=all \
	  -ICShims/CTickCodec/include Tests/KernelTrial/kernel_trial.c CShims/CTickCodec/*.c -o $(KERNEL_TRIAL)
	$(KERNEL_TRIAL) $(KERNEL_ROUNDS)
	! $(KERNEL_TRIAL) 1 --seeded-bug > $(KERNEL_TRIAL).log 2>&1
	@grep -q 'heap-buffer-overflow' $(KERNEL_TRIAL).log && echo "AddressSanitizer rejects the seeded bug"

# A lane between two threads under ThreadSanitizer, which must also report each of the protocol's orders of memory when
# it is weakened. Without -fno-builtin the compiler copies a record's 56 bytes in place, behind the sanitizer's back:
# nothing was reported then, whatever was weakened.
THREAD_TRIAL := .build/lane-trial
THREAD_RECORDS := 200000
check-threads: deps-test
	@mkdir -p .build
	gcc -std=c11 -D_GNU_SOURCE -O1 -g -fno-builtin -Wall -Wextra -Werror -fsanitize=thread -Wno-tsan \
	  -ICShims/CSharedRing/include Tests/ThreadTrial/lane_trial.c -pthread -o $(THREAD_TRIAL)
	@for way in stamps cursor sleep; do setarch -R $(THREAD_TRIAL) $$way $(THREAD_RECORDS) || exit 1; done
	@for run in "stamps stamp-store" "stamps run-store" "stamps stamp-load" "cursor published-store" \
	  "cursor published-load" "cursor released-store" "stamps released-load"; do \
	  set -- $$run; \
	  setarch -R $(THREAD_TRIAL) $$1 $(THREAD_RECORDS) $$2 > $(THREAD_TRIAL).log 2>&1 \
	    && { echo "ThreadSanitizer does not see the mutant $$2"; exit 1; }; \
	  grep -q 'data race' $(THREAD_TRIAL).log || { cat $(THREAD_TRIAL).log; exit 1; }; \
	  echo "ThreadSanitizer rejects the mutant $$2"; \
	done

define build_trial
@mkdir -p .build/$(1)
$(SWIFT) build --quiet --sanitize=$(1) --scratch-path .build/$(1) --product ring-trial $(2) \
  > .build/$(1)/build.log 2>&1 || { cat .build/$(1)/build.log; exit 1; }
endef

# Ten thousand kills, a consumer that stands still five times for ten seconds, vandals, and lanes cut short. Times,
# recovery within 100 ms and publishing undisturbed within 10 %, are judged here alone: no test asserts them.
soak-ring: products
	$(PRODUCTS)/ring-trial soak 10000 --judge-times
	$(PRODUCTS)/ring-trial stall 50 --judge-times
	$(PRODUCTS)/ring-trial truncation 1000
	$(PRODUCTS)/ring-trial siege 10

products: deps
	$(SWIFT) build -c release

bench: products
	$(PRODUCTS)/tickring-bench $(BENCH)

# The store, series and handler beside pandas and numpy, in a virtual environment of their own.
bench-store: products deps-test
	@test -x .build/python-peers/bin/python || { python3 -m venv .build/python-peers \
	  && .build/python-peers/bin/python -m pip install --quiet pandas; }
	$(PRODUCTS)/tickring-bench store --python .build/python-peers/bin/python $(BENCH)
	$(PRODUCTS)/tickring-bench series --python .build/python-peers/bin/python $(BENCH)
	$(PRODUCTS)/tickring-bench handler $(BENCH)

# The binary decoders beside the vendors' own Python clients; one that cannot be had is left out.
VENDOR_CLIENTS := kiteconnect==5.2.2 smartapi-python==1.5.5 logzero websocket-client pyotp requests
VENDOR_PYTHON := .build/vendor-clients/bin/python
bench-decode: products deps-test
	@test -x $(VENDOR_PYTHON) \
	  || { python3 -m venv .build/vendor-clients && $(VENDOR_PYTHON) -m pip install --quiet $(VENDOR_CLIENTS); } \
	  || { rm -rf .build/vendor-clients; echo "PyPI cannot be reached: the vendors' clients are left out"; }
	$(PRODUCTS)/tickring-bench decode $$(test -x $(VENDOR_PYTHON) && echo --python $(VENDOR_PYTHON)) $(BENCH)

# The archive beside Parquet, DBN and DuckDB, in a virtual environment of their own; what PyPI does not give is left out.
ARCHIVE_PEERS := numpy pyarrow databento-dbn zstandard duckdb
REAL_TRADES := $(wildcard ../shared/data/binance_trades_20240808.csv.gz)
bench-archive: products deps-test
	@test -x .build/archive-peers/bin/python || python3 -m venv .build/archive-peers
	@for peer in $(ARCHIVE_PEERS); do \
	  .build/archive-peers/bin/python -m pip install --quiet --disable-pip-version-check $$peer || echo "cannot install $$peer"; \
	done
	$(PRODUCTS)/tickring-bench archive --python .build/archive-peers/bin/python \
	  $(if $(REAL_TRADES),--trades $(REAL_TRADES)) $(BENCH)

bench-ring: products ring-peers
	$(PRODUCTS)/tickring-bench ring --peers $(RING_PEERS) $(BENCH)

# Peers are programs of their own beside the package; one that cannot be built is left out, and the benchmark says so.
RING_PEERS := $(CURDIR)/.build/ring-peers
RING_PEER_SOURCES := CShims/CRingBenchmark/CRingBenchmark.c CShims/CRingBenchmark/limits.c
ring-peers:
	@for package in $(PEER_PACKAGES); do $(call install_missing,$$package) || echo "cannot install $$package"; done
	@mkdir -p $(RING_PEERS) && rm -f $(RING_PEERS)/*
	@for source in $(RING_PEER_SOURCES); do \
	  gcc -std=c17 -O2 -D_GNU_SOURCE -ICShims/CRingBenchmark/include -c $$source \
	    -o $(RING_PEERS)/$$(basename $$source .c).o || exit 1; \
	done
	@$(call build_peer,boost,)
	@$(call build_peer,unix-socket,)
	@$(call build_peer,iceoryx,-isystem /usr/include/iceoryx/v*,-liceoryx_posh -liceoryx_hoofs -liceoryx_platform -lrt)

# Mutated inputs against everything that reads files and what venues send, two targets at a time. The control comes
# first: a reader with a known bug, which must be found. Optimised, with the checks of debug builds kept where they are
# preconditions. Each target gets a number of inputs, the same ones everywhere; FUZZ_SECONDS=600 searches by time
# instead, further each time it is called, and FUZZ_SEED=0 takes other random numbers each time.
FUZZ_SECONDS := 0
export FUZZ_SEED := 1
FUZZ_BUILD = TICKRING_FUZZ=1 $(SWIFT) build -c release --scratch-path .build-fuzz --sanitize address \
  -Xswiftc -enable-testing -Xswiftc -sanitize-coverage=edge,inline-8bit-counters,pc-table -Xcc -fsanitize=fuzzer-no-link
ARCHIVE_FUZZER = .build-fuzz/release/ArchiveFuzzer
VENUE_FUZZER = .build-fuzz/release/VenueFuzzer

# Segments, captures and journals.
fuzz: deps
	$(FUZZ_BUILD) --product ArchiveFuzzer
	$(ARCHIVE_FUZZER) list-targets | FUZZ_BYTES_MAX=16384 xargs -P 2 -L 1 \
	  Tests/VenueFuzzer/fuzz-target.sh $(ARCHIVE_FUZZER) .build-fuzz/archive $(FUZZ_SECONDS)

# All that reads what venues send.
fuzz-venues: deps
	$(FUZZ_BUILD) --product VenueFuzzer
	$(VENUE_FUZZER) list-targets | xargs -P 2 -L 1 \
	  Tests/VenueFuzzer/fuzz-target.sh $(VENUE_FUZZER) .build-fuzz/venues $(FUZZ_SECONDS)

# Power cuts at random moments of the archive writer's life, SOAK_IMAGES for each of six lives.
SOAK_IMAGES := 2000
soak-archive: deps
	TICKRING_SOAK_IMAGES=$(SOAK_IMAGES) $(SWIFT) test --no-parallel --filter PowerCutTests

# The venue cut off at SOAK_CUTS random instants: reconnects in time, subscriptions restored, gaps repaired, no candle wrong.
SOAK_CUTS := 200
soak-faults: products
	$(SWIFT) build --build-tests
	SWIFT=$(SWIFT) TICKRING_PRODUCTS=$(PRODUCTS) TICKRING_SOAK_CUTS=$(SOAK_CUTS) \
	  Tests/run.sh .build/soak-faults.log --filter EndToEndTests.CutTests

# A busy market with everything on, SOAK_SECONDS long at SOAK_RATE ticks a second: nothing lost, forming candles right at
# every sampled instant, memory flat.
SOAK_SECONDS := 600
SOAK_RATE := 100000
soak-feed: products
	$(SWIFT) build --build-tests
	SWIFT=$(SWIFT) TICKRING_PRODUCTS=$(PRODUCTS) TICKRING_SOAK_SECONDS=$(SOAK_SECONDS) TICKRING_SOAK_RATE=$(SOAK_RATE) \
	  Tests/run.sh .build/soak-feed.log --filter EndToEndTests.SoakTests

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

define build_peer
echo "building the peer $(1)"; \
g++ -std=gnu++17 -O3 -ICShims/CRingBenchmark/include $(2) \
  Benchmarks/RingPeers/$(1).cpp $(RING_PEERS)/*.o -o $(RING_PEERS)/$(1) $(3) -lpthread \
  || { echo "the peer $(1) cannot be built and is left out"; rm -f $(RING_PEERS)/$(1); }
endef
