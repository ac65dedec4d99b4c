# SPDX-License-Identifier: MIT
# `make deps deps-vm check-vm`: what only a kernel's own initiator can prove, in a guest (tests/vm/run).

VM_SECONDS ?= 900

.PHONY: check-vm vm-shell
check-vm: all $(O)/unit/test_open_iscsi
	@O=$(O) JOBS=1 TEST_LIMIT=$(VM_SECONDS) tests/run $(or $(TESTS),vm)

# A shell in the guest; the tests lie in /vm.
vm-shell: all
	@O=$(O) tests/vm/run --shell
