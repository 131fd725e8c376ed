# From the raw exposures of a directory to a mosaic, its catalog and segmentation map; -j is make's.
# usage: make -j4 -f examples/mosaic.mk DIR=field NAME=deep [GRID='--skycell 270p65x69y51'] [REFDIR=refs]

DIR ?= .
NAME ?= mosaic
raw := $(wildcard $(DIR)/*_uncal.asdf)
cal := $(raw:_uncal.asdf=_cal.asdf)
ifeq ($(raw),)
$(error no *_uncal.asdf in $(DIR))
endif
references := $(if $(REFDIR),--refdir $(REFDIR))

all: $(DIR)/$(NAME)_coadd.asdf

# The coadd is the last of the three that is written, so it stands for all.
$(DIR)/$(NAME)_coadd.asdf: $(cal)
	rt-run $^ --mosaic $(GRID) -o $@ --overwrite --quiet $(references)

%_cal.asdf: %_uncal.asdf
	rt-run $< --overwrite --quiet $(references)

.PHONY: all
.DELETE_ON_ERROR:
