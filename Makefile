# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Everything is built under build/. `make help` lists the targets; V=1 shows the commands.

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
B       ?= build
CC      ?= cc
CLANG   ?= clang
BPFTOOL ?= $(or $(wildcard /usr/sbin/bpftool),bpftool)
PYTEST  ?= /usr/bin/python3 -m pytest
PKG_CONFIG ?= pkg-config

ROOMS := base mesos observe model act record show cli

# Which rooms a room may include: nothing else is on its include path. This is the design's diagram.
USES_base    :=
USES_mesos   := base
USES_observe := base mesos
USES_model   := base mesos
USES_act     := base
USES_record  := base
USES_show    := base model
USES_cli     := base mesos observe model act record show

WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wundef
CFLAGS   ?= -O2 -g
EW_CFLAGS := -std=gnu11 $(WARN) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -fno-strict-aliasing \
	    -fstack-protector-strong -DEW_VERSION='"$(VERSION)"' $(SAN)
LDLIBS   := -lbpf -lelf -lz -levent -ljansson -lyajl -lnl-3 -lncursesw -ltinfo
CFLAGS_observe := -Ibuild/bpf $(shell $(PKG_CONFIG) --cflags libnl-3.0)
SAN      :=
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)';)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all unit e2e fuzz kernels bench fault fault-compare lint format static install check demo clean help deps lab victims check-pure san

all: $(B)/execwatch

# ---- BPF side: one object for all kernels, embedded by its skeleton; a light one for a single walk ---
BPF_SRC  := $(wildcard bpf/*.bpf.c)
BPF_SKEL := $(patsubst bpf/%.bpf.c,build/bpf/%.skel.h,$(BPF_SRC))

build/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(CLANG) -g -O2 -target bpf -mcpu=v3 -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter \
		-Ivmlinux -Iinclude -MMD -MP -MF build/bpf/$*.bpf.d -MT $@ -c $< -o $@
	$(Q)llvm-strip -g $@

build/bpf/%.skel.h: build/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $(SKEL_FLAGS) $< name $(subst .,_,$*)_bpf > $@
build/bpf/walk.skel.h: SKEL_FLAGS := -L

-include $(wildcard build/bpf/*.d)

# ---- user side -------------------------------------------------------------------------------------
src_of = $(sort $(wildcard src/$(1)/*.c))
obj_of = $(patsubst src/%.c,$(B)/obj/%.o,$(call src_of,$(1)))
LIB_ROOMS := $(filter-out cli,$(ROOMS))

define room
$(B)/see/$(1)/.made: Makefile
	@rm -rf $$(@D) && mkdir -p $$(@D) $(B)/obj/$(1)
	@for r in $(1) $(USES_$(1)); do ln -sfn $(CURDIR)/src/$$$$r $$(@D)/$$$$r; done; touch $$@
$(call obj_of,$(1)): $(B)/obj/%.o: src/%.c $(B)/see/$(1)/.made Makefile $(if $(filter observe,$(1)),| $(BPF_SKEL))
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(EW_CFLAGS) $$(CFLAGS) -Iinclude -I$(B)/see/$(1) $$(CFLAGS_$(1)) -MMD -MP -c $$< -o $$@
endef
$(foreach r,$(ROOMS),$(eval $(call room,$(r))))

$(B)/libexecwatch.a: $(foreach r,$(LIB_ROOMS),$(call obj_of,$(r)))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/execwatch: $(call obj_of,cli) $(B)/libexecwatch.a
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN) $(LDFLAGS) -o $@ $^ $(LDLIBS)

-include $(foreach r,$(ROOMS),$(patsubst %.o,%.d,$(call obj_of,$(r))))

# ---- lab, victims, tests ---------------------------------------------------------------------------
LAB_OBJ := $(patsubst tests/lab/%.c,$(B)/obj/lab/%.o,$(wildcard tests/lab/*.c))
$(B)/obj/lab/%.o: tests/lab/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(EW_CFLAGS) $(CFLAGS) -Itests/lab -MMD -MP -c $< -o $@
$(B)/execwatch-lab: $(LAB_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN) -o $@ $^ -lpthread
-include $(LAB_OBJ:.o=.d)
lab: $(B)/execwatch-lab

# A victim may ask for flags in a comment on its second line: /* LDFLAGS: -static */
V := build/victims
VICTIMS := $(patsubst tests/victims/%.c,$(V)/%,$(wildcard tests/victims/*.c))
$(V)/%: tests/victims/%.c $(wildcard tests/victims/*.h) Makefile
	@mkdir -p $(@D)
	$(call say,VICTIM,$@)
	$(Q)cc=$$(sed -n '2s/.*CC: *\([^ ]*\).*/\1/p' $<); \
		command -v $${cc:-$(CC)} >/dev/null || { echo "  skipped: no $$cc"; exit 0; }; \
		$${cc:-$(CC)} -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror $< -o $@ \
		$$(sed -n '2s/.*LDFLAGS: *\(.*\) \*\/.*/\1/p' $<) -lpthread
victims: $(VICTIMS)

# What a test or bench shares beside the library.
with = $(if $(findstring test_lab,$(1)),$(filter-out %/main.o,$(LAB_OBJ))) \
	$(if $(findstring inject_target,$(1))$(findstring bench_inject,$(1)),tests/fault/victim_run.c) \
	$(if $(findstring inject_target_moment,$(1)),tests/fault/follow.c)
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
$(B)/unit/%: tests/unit/%.c $(B)/libexecwatch.a $(wildcard tests/unit/*.h) Makefile
	@mkdir -p $(@D)
	$(call say,TEST,$@)
	$(Q)$(CC) $(EW_CFLAGS) $(CFLAGS) -Iinclude -Isrc -Itests/lab -Itests/unit -Itests/fault -Itests/victims $(CFLAGS_observe) \
		-MMD -MP -MF $@.d $< $(call with,$@) \
		-o $@ $(B)/libexecwatch.a -lcmocka $(LDLIBS) -lpthread
$(filter %/test_lab_wire,$(UNIT)): $(LAB_OBJ)
-include $(UNIT:=.d)

unit-run: $(UNIT) $(VICTIMS)
	$(Q)scripts/run-unit $(UNIT)
.PHONY: unit-run

# Unit tests run with sanitizers on.
unit: $(VICTIMS)
	$(Q)$(MAKE) --no-print-directory B=build/san SAN='$(SANITIZE)' CFLAGS='-O1 -g' unit-run

san:
	$(Q)$(MAKE) --no-print-directory B=build/san SAN='$(SANITIZE)' CFLAGS='-O1 -g' all

e2e: all lab victims san
	$(Q)$(PYTEST) -q -p no:cacheprovider tests/e2e $(E2E)

# ---- fuzzing: FUZZ_SECONDS for each target ---------------------------------------------------------
FUZZ_SECONDS ?= 3
FUZZERS := $(patsubst tests/fuzz/%.c,build/fuzz/bin/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
build/fuzz/bin/%: tests/fuzz/%.c build/fuzz/libexecwatch.a
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)$(CLANG) $(EW_CFLAGS) -O1 -g -Iinclude -Isrc -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		$< -o $@ build/fuzz/libexecwatch.a $(LDLIBS)
fuzz:
	$(Q)$(MAKE) --no-print-directory B=build/fuzz CC=$(CLANG) SAN='$(FUZZ_FLAGS)' CFLAGS='-O1 -g' build/fuzz/libexecwatch.a
	$(Q)$(MAKE) --no-print-directory B=build/fuzz CC=$(CLANG) SAN='$(FUZZ_FLAGS)' CFLAGS='-O1 -g' $(FUZZERS)
	$(Q)scripts/run-fuzz $(FUZZ_SECONDS) $(FUZZERS)

# ---- the tool that kills the injector (tests/fault) and the benches --------------------------------
build/execwatch-fault: $(wildcard tests/fault/*.c tests/fault/*.h tests/victims/*.h) $(B)/libexecwatch.a
	$(call say,LD,$@)
	$(Q)$(CC) $(EW_CFLAGS) $(CFLAGS) -Iinclude -Isrc -Itests/fault -Itests/victims $(filter %.c,$^) -o $@ $(B)/libexecwatch.a $(LDLIBS) -lpthread
FAULT_RUNS ?= 10000
fault: build/execwatch-fault victims
	$(Q)build/execwatch-fault --runs $(FAULT_RUNS)

# The same done to two other ways of injecting, for comparison only.
fault-compare: build/execwatch-fault victims
	$(Q)build/execwatch-fault --runs 250 --method classic --victim "event loop and workers"
	$(Q)build/execwatch-fault --runs 100 --method gdb --victim "event loop and workers"

BENCH := $(patsubst tests/bench/%.c,build/bench/%,$(wildcard tests/bench/*.c))
build/bench/%: tests/bench/%.c $(wildcard tests/bench/*.h) $(B)/libexecwatch.a Makefile
	@mkdir -p $(@D)
	$(call say,BENCH,$@)
	$(Q)$(CC) $(EW_CFLAGS) $(CFLAGS) -Iinclude -Isrc -Itests/fault -Itests/victims \
		$< $(call with,$@) -o $@ $(B)/libexecwatch.a $(LDLIBS) -lpthread
bench: all lab victims $(BENCH)
	$(Q)tests/bench/run

# ---- rules of the house ----------------------------------------------------------------------------
check-pure: $(B)/libexecwatch.a
	$(Q)scripts/check-pure $(call obj_of,model) $(call obj_of,mesos)

lint: all
	$(Q)$(MAKE) --no-print-directory B=build/clang CC=$(CLANG) all
	$(Q)$(MAKE) --no-print-directory check-pure
	$(Q)scripts/lint

format:
	$(Q)clang-format -i $(wildcard src/*/*.c src/*/*.h include/*.h bpf/*.c bpf/*.h tests/*/*.c tests/*/*.h)

# ---- for users -------------------------------------------------------------------------------------
deps:
	$(Q)scripts/deps

check: deps
	$(Q)scripts/check

demo:
	$(Q)EXECWATCH_BUILD_ONLY=1 scripts/deps
	$(Q)$(MAKE) --no-print-directory all lab
	$(Q)scripts/demo

# One file that runs on a node without a package manager. The linker warns of look-ups that want glibc's
# shared libraries: those of libevent and libnl are not called, and src/observe/api_url.c keeps host
# names to /etc/hosts and DNS, which glibc does by itself.
static:
	$(Q)$(MAKE) --no-print-directory B=build/static LDFLAGS=-static \
		LDLIBS='-lbpf -lelf -lz -levent_core -levent_extra -ljansson -lyajl_s -lnl-3 -lncursesw -ltinfo -lpthread' all

install: all
	install -D -m 0755 $(B)/execwatch $(DESTDIR)$(PREFIX)/sbin/execwatch

clean:
	rm -rf build

help:
	@printf '%s\n' 'make            build/execwatch' 'make demo       a whole window in the lab (root)' \
	'make check      every test (root)' 'make unit | e2e | fuzz | fault | fault-compare | kernels | storm | bench | lint | format' \
	'make static     one static file in build/static' 'make install    DESTDIR= PREFIX='

# ---- kernels of Debian's suites, in QEMU: all of tests/kernels/matrix, or KERNELS="6.1 6.12" --------
.PHONY: kernels-some
kernels:
	$(Q)tests/kernels/run $(KERNELS)

# Long campaigns: storms three times, seeding 20 times, execwatch killed 200 times at random moments.
.PHONY: storm
storm: all lab $(B)/unit/test_storm $(B)/unit/test_storm_seed
	$(Q)tests/storm/run

# For `make check`. Where a kernel cannot be had, that is said, and is no failure.
kernels-some:
	$(Q)tests/kernels/run 6.1 6.12 || [ $$? -eq 77 ]
