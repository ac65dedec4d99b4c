# SPDX-License-Identifier: MIT
# `make deps deps-vm check-vm`: what only a kernel's own initiator can prove, in a guest (tests/vm/run).

# All of it, however many jobs that is.
VM_SECONDS ?= 900

.PHONY: check-vm check-vm-long outage-figure vm-shell
check-vm: all $(O)/unit/test_open_iscsi $(O)/crash/sgw-init
	@O=$(O) JOBS=1 RUN_LIMIT=$(VM_SECONDS) tests/run $(or $(TESTS),vm)

# What takes its real time, a quarter of an hour. What the outages cost is then drawn.
check-vm-long: all
	@O=$(O) JOBS=1 TEST_LIMIT=1800 VM_LIMIT=1700 SUITE_LIMIT=900 tests/run tests/vm/long/outage.bats
	@tests/vm/figure table $(O)/vm/log/outages >$(O)/vm/outage.md
	@tests/vm/figure svg $(O)/vm/log/outages >$(O)/vm/outage.svg
	@echo 'drawn in $(O)/vm/outage.md and outage.svg; to put them into README.md: make outage-figure'

outage-figure:
	cp $(O)/vm/log/outages tests/vm/long/outages
	cp $(O)/vm/outage.svg tests/vm/long/outage.svg
	sed -i -e '/^| settings | replacement/r $(O)/vm/outage.md' -e '/^| settings /,/^$$/{/^|/d}' README.md

# A shell in the guest; the tests lie in /vm.
vm-shell: all
	@O=$(O) tests/vm/run --shell
