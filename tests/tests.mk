# SPDX-License-Identifier: MIT
# tests.mk - builds the programs of the tests and runs everything through prove.
#
# make check         installs what the tests need, builds strictly, runs everything below
# make test          the tests alone; TESTS="tests/layers.bats ..." runs some
# make check-asan    unit tests, tool and host programs with AddressSanitizer;
#                    check-ubsan, check-tsan: with the other two
# make fuzz          every fuzzer for FUZZ_SECONDS

T = $(BUILD)/tests
JOBS ?= 2
FUZZ_SECONDS ?= 20
STRICT = -Werror -Wswitch-enum
PROVE = env BUILD=$(abspath $(BUILD)) prove --timer -j$(JOBS) -e tests/lib/exec

# A make of its own, for another build; in parallel, whether we are or not.
BUILD_MAKE = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))

TEST_CFLAGS = $(filter-out -Wcast-qual -Wwrite-strings,$(ALL_CFLAGS)) $(HOST_SANITIZE)
TEST_HEADERS = $(wildcard tests/*/*.h)

UNIT = $(patsubst tests/%.c,$(T)/%,$(wildcard tests/unit/test_*.c))
UNIT_OBJ = $(filter-out %/tools/tcpshim.o,$(TOOL_OBJ)) $(T)/tool_main.o
CALLS = $(patsubst tests/%.c,$(T)/%,$(wildcard tests/calls/*.c))
CALLS_MUSL = $(addsuffix .musl,$(CALLS))
POLICY = $(patsubst tests/%.c,$(T)/%,$(wildcard tests/policy/*.c tests/exhaust/*.c))
STRESS = $(patsubst tests/%.c,$(T)/%,$(filter-out %_lib.c,$(wildcard tests/stress/*.c)))
STRESS_LIB = $(T)/stress/early_lib.so $(T)/stress/loader_lib.so $(T)/stress/private/plugin_lib.so
FUZZ = $(patsubst tests/%.c,$(T)/%,$(wildcard tests/fuzz/fuzz_*.c))

TEST_PROGRAMS = $(UNIT) $(CALLS) $(CALLS_MUSL) $(POLICY) $(STRESS) $(STRESS_LIB) $(T)/stress/static
TESTS = tests/calls/run $(wildcard tests/apps/*.bats tests/stress/*.bats tests/*.bats) $(UNIT)

# The library itself is not sanitized; programs that host it are, with the
# runtime inside, so that it comes before any preload.
SANITIZED_TESTS = $(UNIT) $(wildcard tests/log.bats tests/report.bats) tests/calls/run

check:
	@tests/setup build check
	@$(BUILD_MAKE) BUILD=build-clang CC=clang WERROR='$(STRICT)' test \
		TESTS='tests/calls/run tests/stress/guest.bats'
	@$(BUILD_MAKE) BUILD=build-gcc CC=gcc WERROR='$(STRICT)' all
	@$(BUILD_MAKE) test
	@$(MAKE) --no-print-directory -j1 check-asan check-ubsan check-tsan fuzz
	@echo 'make check: everything passed'

test: all $(TEST_PROGRAMS)
	@$(PROVE) $(TESTS)

check-asan:
	@$(BUILD_MAKE) BUILD=build-asan test-sanitized \
		SANITIZE='-fsanitize=address -fno-omit-frame-pointer' \
		HOST_SANITIZE='-fsanitize=address -static-libasan'

check-ubsan:
	@$(BUILD_MAKE) BUILD=build-ubsan test-sanitized \
		SANITIZE='-fsanitize=undefined -fno-sanitize-recover=all' \
		HOST_SANITIZE='-fsanitize=undefined -fno-sanitize-recover=all -static-libubsan'

# setarch: gcc's thread sanitizer cannot live with all that some kernels randomise.
check-tsan:
	@$(BUILD_MAKE) BUILD=build-tsan test-sanitized \
		SANITIZE='-fsanitize=thread' HOST_SANITIZE='-fsanitize=thread -static-libtsan' \
		NO_ASLR="$$(setarch -R true 2>/dev/null && echo setarch -R)"

test-sanitized: all $(UNIT) $(CALLS)
	@SANITIZED=1 $(NO_ASLR) $(PROVE) $(SANITIZED_TESTS)

fuzz: $(FUZZ)
	@for fuzzer in $(FUZZ); do \
		mkdir -p $$fuzzer.corpus && \
		$$fuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
			-print_final_stats=1 -verbosity=0 -artifact_prefix=$$fuzzer. \
			$$fuzzer.corpus $$(ls -d tests/fuzz/$${fuzzer##*/}_seeds 2>/dev/null) || exit 1; \
	done

$(T)/tool_main.o: tools/tcpshim.c
	@mkdir -p $(@D)
	$(call say,CC,'$< (for unit tests)')$(CC) $(TOOL_CFLAGS) -Dmain=tool_main -c -o $@ $<

$(T)/unit/%: tests/unit/%.c $(UNIT_OBJ)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(TOOL_CFLAGS) $(LDFLAGS) -o $@ $< $(UNIT_OBJ) -lcmocka $(TOOL_LIBS)

$(T)/calls/%: tests/calls/%.c $(TEST_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(TEST_CFLAGS) -o $@ $< -ldl -lpthread

$(T)/exhaust/%: tests/exhaust/%.c $(TEST_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(TEST_CFLAGS) -o $@ $< $(LDLIBS) -lpthread

$(T)/policy/%: tests/policy/%.c $(TEST_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(TEST_CFLAGS) -o $@ $< -lpthread

$(T)/calls/%.musl: tests/calls/%.c $(TEST_HEADERS)
	@mkdir -p $(@D)
	$(call say,MUSL,$<)musl-gcc -std=gnu11 -D_GNU_SOURCE -g -o $@ $<

$(T)/stress/early: $(T)/stress/early_lib.so
$(T)/stress/early: private LDLIBS = $(T)/stress/early_lib.so -Wl,-rpath,'$$ORIGIN'
$(T)/stress/loader_lib.so: private LDLIBS = -Wl,--enable-new-dtags,-rpath,'$$ORIGIN/private'

$(T)/stress/%: tests/stress/%.c $(TEST_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(TEST_CFLAGS) -o $@ $< $(LDLIBS) -ldl -lpthread

$(T)/stress/%.so: tests/stress/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(TEST_CFLAGS) -fPIC -shared -Wl,-soname,$(@F) -o $@ $< $(LDLIBS) -ldl

$(T)/stress/private/%.so: tests/stress/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(TEST_CFLAGS) -fPIC -shared -Wl,-soname,$(@F) -o $@ $<

# A program that no preload can reach.
$(T)/stress/static: tests/stress/socket_close.c $(TEST_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,'$< (static)')$(CC) $(TEST_CFLAGS) -static -o $@ $<

$(T)/fuzz/%: tests/fuzz/%.c $(TOOL_SRC) $(wildcard shim/core/*.h tools/*.h)
	@mkdir -p $(@D)
	$(call say,FUZZ,$<)clang $(filter-out -MMD -MP,$(TOOL_CFLAGS)) -Dmain=tool_main -O1 \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $@ $< $(TOOL_SRC) $(TOOL_LIBS)

include tests/bench/bench.mk

.PHONY: check test test-sanitized check-asan check-ubsan check-tsan fuzz
-include $(wildcard $(T)/*.d $(T)/*/*.d)
