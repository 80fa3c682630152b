# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Everything is built under build/. `make help` lists the targets; V=1 shows the commands.

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
B       ?= build
CC      ?= cc
CLANG   ?= clang
BPFTOOL ?= $(or $(wildcard /usr/sbin/bpftool),bpftool)
PKG_CONFIG ?= pkg-config

MODULES := base mesos firewall systemd observe/proc observe/netlink observe/agent observe/bpf observe model act/inject act \
	record show cli

# Which modules a module may include: nothing else is on its include path (docs/architecture.md).
USES_base            :=
USES_mesos           := base
USES_firewall        := base
USES_systemd         := base
USES_observe/proc    := base mesos
USES_observe/netlink := base firewall observe/proc
USES_observe/agent   := base mesos systemd observe/proc observe/netlink
USES_observe/bpf     := base mesos observe/proc observe/netlink
USES_observe         := base mesos firewall systemd observe/proc observe/netlink observe/agent observe/bpf
USES_model           := base mesos
USES_act/inject      := base
USES_act             := base act/inject
USES_record          := base
USES_show            := base model
USES_cli             := base mesos observe model act/inject act record show observe/bpf observe/netlink \
	observe/agent observe/proc

WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wundef
CFLAGS   ?= -O2 -g
EW_CFLAGS := -std=gnu11 $(WARN) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -fno-strict-aliasing \
	    -fstack-protector-strong -DEW_VERSION='"$(VERSION)"' $(SAN)
# yes: OpenSSL is loaded for an https URL of the agent; no, as in a static file: there is no TLS.
TLS      := yes
LEFT_OUT := src/observe/agent/tls_$(if $(filter yes,$(TLS)),none,openssl).c
LDLIBS   := -lbpf -lelf -lz -levent -ljansson -lyajl -lnl-3 -lncursesw -ltinfo
CFLAGS_LIBNL := $(shell $(PKG_CONFIG) --cflags libnl-3.0)
CFLAGS_observe := $(CFLAGS_LIBNL)
CFLAGS_observe/netlink := $(CFLAGS_LIBNL)
CFLAGS_observe/bpf := -Ibpf -Ibuild/bpf $(CFLAGS_LIBNL)
SAN      :=
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)';)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all unit unit-build unit-programs unit-run e2e fuzz fuzz-programs clang kernels storm bench fault fault-compare lint format static install \
	node check check-all demo clean help deps lab victims check-pure san

all: $(B)/execwatch

# ---- BPF side: one object for all kernels, embedded by its skeleton; light ones for a single scan ----
BPF_SRC  := $(wildcard bpf/*.bpf.c)
BPF_SKEL := $(patsubst bpf/%.bpf.c,build/bpf/%.skel.h,$(BPF_SRC))

build/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(CLANG) -g -O2 -target bpf -mcpu=v3 -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter \
		-Ivmlinux -Ibpf -MMD -MP -MF build/bpf/$*.bpf.d -MT $@ -c $< -o $@
	$(Q)llvm-strip -g $@

build/bpf/%.skel.h: build/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $(SKEL_FLAGS) $< name $(subst .,_,$*)_bpf > $@
build/bpf/scan_once.skel.h build/bpf/threads.skel.h: SKEL_FLAGS := -L

-include $(patsubst bpf/%.c,build/bpf/%.d,$(BPF_SRC))

# ---- user side -------------------------------------------------------------------------------------
# A module is a directory with those below it that are no modules themselves.
files_of = $(foreach f,$(sort $(wildcard src/$(1)/*.$(2) src/$(1)/*/*.$(2))),$(if \
	$(filter $(patsubst %/,%,$(dir $(f))),$(patsubst %,src/%,$(filter $(1)/%,$(MODULES)))),,$(f)))
obj_of = $(patsubst src/%.c,$(B)/obj/%.o,$(filter-out $(LEFT_OUT),$(call files_of,$(1),c)))
LIB_MODULES := $(filter-out cli,$(MODULES))

# The headers that a module may include are linked below $(B)/include/MODULE, its only include path.
define module
$(B)/include/$(subst /,-,$(1))/.made: Makefile $(foreach m,$(1) $(USES_$(1)),$(call files_of,$(m),h))
	@rm -rf $$(@D) && mkdir -p $$(@D)
	@for h in $$(patsubst src/%,%,$$(filter %.h,$$^)); do \
		mkdir -p $$(@D)/$$$${h%/*} && ln -s $(CURDIR)/src/$$$$h $$(@D)/$$$$h; done; touch $$@
$(call obj_of,$(1)): $(B)/obj/%.o: src/%.c Makefile | $(B)/include/$(subst /,-,$(1))/.made $(if \
		$(filter observe/bpf,$(1)),$(BPF_SKEL))
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(EW_CFLAGS) $$(CFLAGS) -Iinclude -I$(B)/include/$(subst /,-,$(1)) $$(CFLAGS_$(1)) -MMD -MP -c $$< -o $$@
endef
$(foreach m,$(MODULES),$(eval $(call module,$(m))))

$(B)/libexecwatch.a: $(foreach m,$(LIB_MODULES),$(call obj_of,$(m)))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/execwatch: $(call obj_of,cli) $(B)/libexecwatch.a
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN) $(LDFLAGS) -o $@ $^ $(LDLIBS)

-include $(foreach m,$(MODULES),$(patsubst %.o,%.d,$(call obj_of,$(m))))

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
VICTIMS_DIR := build/victims
VICTIMS := $(patsubst tests/victims/%.c,$(VICTIMS_DIR)/%,$(wildcard tests/victims/*.c))
$(VICTIMS_DIR)/%: tests/victims/%.c $(wildcard tests/victims/*.h) Makefile
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
	$(Q)$(CC) $(EW_CFLAGS) $(CFLAGS) -Iinclude -Isrc -Itests/lab -Itests/unit -Itests/fault -Itests/victims $(CFLAGS_observe/bpf) \
		-MMD -MP -MF $@.d $< $(call with,$@) \
		-o $@ $(B)/libexecwatch.a -lcmocka $(LDLIBS) -lpthread
$(filter %/test_lab_wire,$(UNIT)): $(LAB_OBJ)
-include $(UNIT:=.d)

unit-programs: $(UNIT)
unit-run: $(UNIT) $(VICTIMS)
	$(Q)scripts/run-unit $(UNIT)

# Unit tests run with sanitizers on.
IN_SAN := $(MAKE) --no-print-directory B=build/san SAN='$(SANITIZE)' CFLAGS='-O1 -g'
unit: $(VICTIMS)
	$(Q)$(IN_SAN) unit-run

san:
	$(Q)$(IN_SAN) all
unit-build: san
	$(Q)$(IN_SAN) unit-programs

e2e: all lab victims san
	$(Q)scripts/run-e2e $(E2E)

# ---- fuzzing: FUZZ_SECONDS for each target ---------------------------------------------------------
FUZZ_SECONDS ?= 3
FUZZERS := $(patsubst tests/fuzz/%.c,build/fuzz/bin/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
build/fuzz/bin/%: tests/fuzz/%.c build/fuzz/libexecwatch.a
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)$(CLANG) $(EW_CFLAGS) -O1 -g -Iinclude -Isrc -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		$< -o $@ build/fuzz/libexecwatch.a $(LDLIBS)
fuzz-programs: $(FUZZERS)
# The build by clang: its warnings are errors too, and its library is what the fuzz targets call.
clang:
	$(Q)$(MAKE) --no-print-directory B=build/fuzz CC=$(CLANG) SAN='$(FUZZ_FLAGS)' CFLAGS='-O1 -g' all lab fuzz-programs
fuzz: clang
	$(Q)scripts/run-fuzz $(FUZZ_SECONDS) $(FUZZERS)

# ---- the tool that kills the injecting process (tests/fault) and the benches --------------------------------
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
	$(Q)$(CC) $(EW_CFLAGS) $(CFLAGS) -Iinclude -Isrc -Ibpf -Itests/fault -Itests/victims \
		$< $(call with,$@) -o $@ $(B)/libexecwatch.a $(LDLIBS) -lpthread
bench: all lab victims $(BENCH)
	$(Q)tests/bench/run

# ---- rules of the project --------------------------------------------------------------------------
# Pure modules call nothing that does I/O; calls go one way, between files as between modules. Of base, what asks the kernel:
BASE_IO := bounded caps dirents emit lines memory_lock netns now pidfd proc proc_alive proc_cgroup walltime
check-pure: $(B)/execwatch
	$(Q)scripts/check-pure $(call obj_of,model) $(call obj_of,mesos) $(call obj_of,firewall) $(call obj_of,systemd) -- \
		$(filter-out $(BASE_IO:%=$(B)/obj/base/%.o),$(call obj_of,base))
	$(Q)scripts/check-one-way $(foreach m,$(MODULES),$(call obj_of,$(m)))

lint: all clang
	$(Q)$(MAKE) --no-print-directory check-pure
	$(Q)scripts/lint

format:
	$(Q)git ls-files '*.c' '*.h' | grep -v '^vmlinux/' | xargs clang-format -i

# ---- for users -------------------------------------------------------------------------------------
deps:
	$(Q)scripts/deps

check: deps
	$(Q)scripts/check
check-all: deps
	$(Q)scripts/check --all

demo:
	$(Q)EXECWATCH_BUILD_ONLY=1 scripts/deps
	$(Q)$(MAKE) --no-print-directory all lab
	$(Q)scripts/demo

# One file that runs on a node without a package manager. The linker warns of look-ups that want glibc's
# shared libraries: those of libevent and libnl are not called, and src/observe/agent/api_url.c keeps host
# names to /etc/hosts and DNS, which glibc does by itself.
static:
	$(Q)$(MAKE) --no-print-directory B=build/static LDFLAGS=-static TLS=no \
		LDLIBS='-lbpf -lelf -lz -levent_core -levent_extra -ljansson -lyajl_s -lnl-3 -lncursesw -ltinfo -lpthread' all

install: all
	install -D -m 0755 $(B)/execwatch $(DESTDIR)$(PREFIX)/sbin/execwatch

clean:
	rm -rf build

define HELP
build
  make               build/execwatch (V=1 shows the commands)
  make static        the same as one static file: build/static/execwatch
  make install       PREFIX=/usr/local, DESTDIR= for packages
  make clean         removes build/
try
  make demo          a maintenance window in the lab (root)
  make bench         what execwatch costs, measured (root)
test (root, but for fuzz and lint)
  make check         every test; installs what is missing
  make check-all     also what takes longer: 10,000 faults, all kernels, the node, storms
  make unit          cmocka, with sanitizers; UNIT_JOBS=3
  make e2e           pytest: execwatch in the lab; E2E='-k name', E2E_JOBS=4
                     EXECWATCH_CATALOGUE=all: all scenarios of tests/e2e/catalogue
                     EXECWATCH_TRIES=all: random moments as often as in check-all
  make fuzz          each parser for FUZZ_SECONDS=3
  make fault         kills the injecting process FAULT_RUNS=10000 times
  make fault-compare the same with two other ways of injecting
  make kernels       in QEMU; KERNELS="6.1 6.12" for some
  make node          in QEMU: a Debian node whose systemd restarts the agent
  make storm         kills execwatch at random moments, RUNS=200
source
  make lint          warnings of gcc and clang, purity, rules of the project
  make format        clang-format
  make deps          installs what is missing (Debian)
endef
export HELP
help:
	@echo "$$HELP"

# ---- a node with systemd, in QEMU: what the audit foresees of a restart is what comes -----------------
node:
	$(Q)tests/node/run

# ---- kernels of Debian's suites, in QEMU: all of tests/kernels/matrix, or KERNELS="6.1 6.12" --------
kernels:
	$(Q)tests/kernels/run $(KERNELS)

# Long campaigns: storms three times, scanning 20 times, execwatch killed 200 times at random moments.
storm: all lab $(B)/unit/test_storm $(B)/unit/test_storm_scan
	$(Q)tests/storm/run
