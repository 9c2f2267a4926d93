# Builds the fuzz targets with clang, its libFuzzer, AddressSanitizer and UBSan:
#
#     make -f tests/fuzz/fuzz.mk srcdir=. out=DIRECTORY [CLANG=clang] [COVERAGE=1]
#
# Objects of the tool are shared by all targets. What is linked to each stands at the end.

CLANG = clang
TARGETS = region snapshot cfi symbol lines options

SANITIZE = address,undefined
FLAGS = -std=gnu11 -gline-tables-only -O2 -fno-omit-frame-pointer -fno-sanitize-recover=undefined \
	-fsanitize=$(SANITIZE) -Wall -Wextra -Wshadow
ifdef COVERAGE
FLAGS += -fprofile-instr-generate -fcoverage-mapping
endif
DEFINES = -D_GNU_SOURCE -DPACKAGE_VERSION='"0"' -DTRACESNAP_LIBDIR='"/nowhere"' -I$(srcdir)
LIBS = -ljansson -ldw -lelf -liberty -lz

tool = $(wildcard $(srcdir)/tools/base/*.c $(srcdir)/tools/source/*.c $(srcdir)/tools/symbol/*.c \
	$(srcdir)/tools/model/*.c $(srcdir)/tools/render/*.c)
commands = $(wildcard $(srcdir)/tools/cmd/*.c)
object = $(patsubst $(srcdir)/%.c,$(out)/%.o,$(1))
fuzz = $(call object,$(addprefix $(srcdir)/tests/fuzz/,$(1)))

all: $(TARGETS:%=$(out)/%)

$(out)/%.o: $(srcdir)/%.c $(srcdir)/tests/fuzz/fuzz.mk
	@mkdir -p $(@D)
	$(CLANG) $(FLAGS) -fsanitize=fuzzer-no-link $(DEFINES) $(EXTRA) -MMD -c -o $@ $<

# Loops over all slabs, contexts and known names: to trace each comparison would take most of the time.
quick = source/slabs source/cells source/assemble model/user_code
$(quick:%=$(out)/tools/%.o): EXTRA = -fno-sanitize-coverage=trace-cmp

# Its main is libFuzzer's.
$(out)/tools/cmd/main.o: EXTRA = -Dmain=tool_main

$(out)/libtools.a: $(call object,$(tool))
	rm -f $@
	ar cq $@ $^

link = $(CLANG) $(FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)
source = $(call fuzz,source.c sparse.c sparse_mutate.c target.c) \
	$(call object,$(srcdir)/tests/unit/reader_promises.c $(srcdir)/tests/unit/reader_build.c)

$(out)/region: $(call fuzz,region_fuzz.c) $(source) $(out)/libtools.a
	$(link)
$(out)/snapshot: $(call fuzz,snapshot_fuzz.c) $(source) $(out)/libtools.a
	$(link)
$(out)/cfi: $(call fuzz,cfi_fuzz.c target.c) $(call object,$(srcdir)/shim/cfi.c)
	$(link)
$(out)/symbol: $(call fuzz,symbol_fuzz.c symbol_mutate.c target.c) $(out)/libtools.a
	$(link)
$(out)/lines: $(call fuzz,lines_fuzz.c target.c) $(out)/libtools.a
	$(link)
$(out)/options: $(call fuzz,options_fuzz.c target.c) $(call object,$(srcdir)/shim/options.c $(commands)) \
	$(out)/libtools.a
	$(link)

-include $(shell find $(out) -name '*.d' 2>/dev/null)

.PHONY: all
.DELETE_ON_ERROR:
