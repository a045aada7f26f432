# SPDX-License-Identifier: MIT
# bench.mk - make bench: what the library costs, as a table.
#
# make bench ROUNDS=1000    more of them, for steadier ratios

ROUNDS ?= 200
B = $(BUILD)/tests/bench

bench:
	@tests/setup build bench
	@$(MAKE) --no-print-directory all $(B)/work $(B)/empty.so
	@tests/bench/bench $(BUILD) $(ROUNDS)

$(B)/work: tests/bench/work.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -o $@ $< -lpthread

$(B)/empty.so:
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) -shared -nostdlib -x c -o $@ /dev/null

.PHONY: bench
