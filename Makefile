# SPDX-License-Identifier: MIT
# make            build/libtcpshim.so and build/tcpshim
# make demo       what it does, on a real server and client
# make check      every test; installs what they need
# make install    DESTDIR, PREFIX

VERSION = 0.1.0
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
BUILD ?= build
ifeq ($(origin CC),default)
CC = gcc
endif
CFLAGS ?= -O2 -g
SANITIZE ?=

Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2);)

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
       -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2
ALL_CFLAGS = -std=gnu11 $(WARN) $(WERROR) -Ishim -I. -D_GNU_SOURCE -MMD -MP $(CFLAGS)
# No fortified symbols: one of them would keep the library out of musl programs.
# Not pedantic: glibc declares socket calls with transparent unions.
LIB_CFLAGS = $(ALL_CFLAGS) -Wno-pedantic -fPIC -fvisibility=hidden -fno-plt -ftls-model=initial-exec \
             -fno-stack-protector -U_FORTIFY_SOURCE -Wframe-larger-than=1024
TOOL_CFLAGS = $(ALL_CFLAGS) $(SANITIZE) -DVERSION='"$(VERSION)"' -DLIBDIR='"$(LIBDIR)"'
TOOL_LIBS = -lcjson -ldw -lelf

CORE = $(wildcard shim/core/*.c)
LIB_SRC = $(wildcard shim/sys/*.c shim/preload/*.c) $(CORE)
LIB_ASM = $(wildcard shim/sys/*.S)
TOOL_SRC = $(wildcard tools/*.c) $(CORE)
LIB_OBJ = $(LIB_SRC:%.c=$(BUILD)/lib/%.o) $(LIB_ASM:%.S=$(BUILD)/lib/%.o)
TOOL_OBJ = $(TOOL_SRC:%.c=$(BUILD)/tool/%.o)

all: $(BUILD)/libtcpshim.so $(BUILD)/tcpshim

$(BUILD)/libtcpshim.so: $(LIB_OBJ) $(BUILD)/exports.ld
	$(call say,LINK,$@)$(CC) -shared $(LDFLAGS) $(BUILD)/exports.ld \
		-Wl,-soname,libtcpshim.so,-Bsymbolic-functions -Wl,-z,now,-z,relro,-z,defs,-z,nodelete,-z,noseparate-code -o $@ $(LIB_OBJ) -ldl

$(BUILD)/tcpshim: $(TOOL_OBJ)
	$(call say,LINK,$@)$(CC) $(LDFLAGS) $(SANITIZE) -o $@ $(TOOL_OBJ) $(TOOL_LIBS)

$(BUILD)/lib/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(LIB_CFLAGS) -c -o $@ $<

$(BUILD)/lib/%.o: %.S
	@mkdir -p $(@D)
	$(call say,AS,$<)$(CC) -Ishim -MMD -MP -c -o $@ $<

$(BUILD)/tool/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(TOOL_CFLAGS) -c -o $@ $<

# The names that the library exports: those of calls.def, and no other.
$(BUILD)/exports.ld: shim/sys/exports.h shim/sys/calls.def
	@mkdir -p $(@D)
	$(call say,GEN,$@)$(CC) -E -P -Ishim -x c $< -o $@

include tests/tests.mk

install: all
	install -D -m 755 $(BUILD)/tcpshim $(DESTDIR)$(PREFIX)/bin/tcpshim
	install -D -m 755 $(BUILD)/libtcpshim.so $(DESTDIR)$(LIBDIR)/libtcpshim.so
	install -D -m 644 tools/tcpshim.1 $(DESTDIR)$(PREFIX)/share/man/man1/tcpshim.1
	install -D -m 644 tools/tcpshim-report.1 $(DESTDIR)$(PREFIX)/share/man/man1/tcpshim-report.1
	install -D -m 644 tools/tcpshim-sweep.1 $(DESTDIR)$(PREFIX)/share/man/man1/tcpshim-sweep.1
	install -D -m 644 tools/tcpshim-json.5 $(DESTDIR)$(PREFIX)/share/man/man5/tcpshim-json.5
	install -D -m 644 shim/tcpshim.rules.5 $(DESTDIR)$(PREFIX)/share/man/man5/tcpshim.rules.5
	install -D -m 644 shim/tcpshim.limits.5 $(DESTDIR)$(PREFIX)/share/man/man5/tcpshim.limits.5
	install -D -m 644 shim/tcpshim.faults.5 $(DESTDIR)$(PREFIX)/share/man/man5/tcpshim.faults.5
	install -D -m 644 shim/libtcpshim.so.7 $(DESTDIR)$(PREFIX)/share/man/man7/libtcpshim.so.7
	install -D -m 644 tools/completion.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/tcpshim

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/tcpshim $(DESTDIR)$(LIBDIR)/libtcpshim.so \
		$(DESTDIR)$(PREFIX)/share/man/man1/tcpshim.1 $(DESTDIR)$(PREFIX)/share/man/man1/tcpshim-sweep.1 \
		$(DESTDIR)$(PREFIX)/share/man/man1/tcpshim-report.1 \
		$(DESTDIR)$(PREFIX)/share/man/man5/tcpshim-json.5 $(DESTDIR)$(PREFIX)/share/man/man5/tcpshim.faults.5 \
		$(DESTDIR)$(PREFIX)/share/man/man5/tcpshim.limits.5 \
		$(DESTDIR)$(PREFIX)/share/man/man5/tcpshim.rules.5 $(DESTDIR)$(PREFIX)/share/man/man7/libtcpshim.so.7 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/tcpshim

demo:
	@tests/setup build demo
	@$(MAKE) --no-print-directory all
	@tests/demo $(BUILD)

clean:
	rm -rf $(BUILD)

.PHONY: all install uninstall demo clean
-include $(LIB_OBJ:.o=.d) $(TOOL_OBJ:.o=.d)
