# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

# Debian release of the lab's nodes (12 or 13), and the engine behind the VIP (nginx or haproxy).
LAB_DEBIAN ?= 12
LAB_ENGINE ?= nginx
# "redhat" disguises the nodes as Enterprise Linux; an image of one, or of any Debian or Ubuntu, replaces Debian's.
LAB_FAMILY ?= debian
LAB_IMAGE ?=
# For the scenario "failover": keepalived's profile, and the faults (promised, or all).
LAB_PROFILE ?= standard
LAB_FAULTS ?= promised
export LAB_DEBIAN LAB_ENGINE LAB_FAMILY LAB_IMAGE LAB_PROFILE LAB_FAULTS

# Faults for "make drill".
DRILL ?= service_stop,service_kill,service_hang,keepalived_stop,keepalived_kill,link_down,node_freeze,node_power_off

BIN := .venv/bin
LINK := build/collections/ansible_collections/haproof/balancer
INVENTORY := build/lab/inventory.yml
READY := .venv/installed $(LINK)
export PATH := $(CURDIR)/$(BIN):$(PATH)

# The scenarios are in "molecule/" at the top; without the glob molecule warns about that.
export MOLECULE_GLOB := molecule/*/molecule.yml
# The lab is created on this machine, without an inventory.
LOCALLY := ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false

say = @printf '\n== %s\n' '$(1)'

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- the lab

.PHONY: demo
demo: ## from nothing to a proven pair: lab, site and drill
	@$(MAKE) --no-print-directory lab
	@$(MAKE) --no-print-directory site
	@$(MAKE) --no-print-directory drill
	$(call say,The lab stays up ("make clean" removes it): $(INVENTORY). Report: build/drill/report.html)

.PHONY: lab
lab: $(READY) ## start the lab's five nodes
	@scripts/setup lab
	$(call say,lab: nodes with $(or $(LAB_IMAGE),Debian $(LAB_DEBIAN)$(if $(filter redhat,$(LAB_FAMILY)), disguised as Enterprise Linux)) (a missing image is built first))
	@$(LOCALLY) ansible-playbook molecule/shared/create.yml
	@ansible-playbook -i $(INVENTORY) molecule/shared/prepare.yml

.PHONY: site
site: $(INVENTORY) ## apply playbooks/site.yml to the lab
	$(call say,site: install and configure the balancers and backends)
	@ansible-playbook -i $(INVENTORY) playbooks/site.yml

.PHONY: drill
drill: $(INVENTORY) ## break the lab on purpose and measure the outages from the client
	$(call say,drill: break the holder and measure from the client)
	@ansible-playbook -i $(INVENTORY) playbooks/drill.yml --extra-vars drill_faults=$(DRILL)

$(INVENTORY):
	@$(MAKE) --no-print-directory lab

.PHONY: clean
clean: ## remove everything that this checkout created, also after a crash
	@molecule/shared/remove --checkout
	@rm -rf build .venv .ansible .hypothesis .pytest_cache .ruff_cache

# --- checks

.PHONY: check
check: $(READY) ## the fast checks: linters, types, unit tests
	$(call say,ansible-lint)
	@ansible-lint --nocolor
	$(call say,yamllint)
	@yamllint --strict .
	$(call say,ruff)
	@ruff check
	@ruff format --check
	$(call say,mypy)
	@mypy --package ansible_collections.haproof.balancer.plugins
	@mypy roles/*/files/*.py
	$(call say,Python 3.8 on nodes)
	@vermin --quiet --no-tips --violations --target=3.8- plugins/module_utils plugins/modules roles/*/files/*.py
	$(call say,shellcheck)
	@git grep --untracked -lIE '^#!.*[ /](ba)?sh$$' -- ':!*.j2' | xargs shellcheck
	$(call say,licences)
	@reuse lint --lines
	$(call say,documentation and changelog)
	@antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self .
	@antsibull-changelog lint
	$(call say,unit tests)
	@pytest

.PHONY: conformance
conformance: $(READY) ## read and write configurations, and check them with the daemons of two Debian releases
	@scripts/setup daemons
	$(call say,conformance: configurations accepted by the daemons keep their meaning)
	@pytest tests/conformance

.PHONY: mutants
mutants: $(READY) ## mutate the pure functions, and count the mutants that survive the unit tests
	$(call say,mutants (a quarter of an hour))
	@scripts/mutants

.PHONY: cores
cores: $(READY) ## the unit tests that depend on Ansible, with the oldest and the newest ansible-core
	@scripts/cores

# Checks without a lab, and the scenarios that prove most in the time that CI has; FURTHER has the rest. The longest come
# first. Two labs in parallel do not slow each other down, but drills measure milliseconds and run alone.
GATES := check sanity conformance cores
SCENARIOS := findings default handover nginx_features haproxy_features watch three_nodes installed
FURTHER := $(filter-out shared failover $(SCENARIOS),$(notdir $(patsubst %/molecule.yml,%,$(wildcard molecule/*/molecule.yml))))
PARALLEL := $(MAKE) --no-print-directory --jobs=2 --output-sync=target

.PHONY: test
test: $(READY) ## all checks: check, conformance, other ansible-cores, ansible-test sanity and most molecule scenarios
	@$(PARALLEL) $(GATES)
	@scripts/setup lab
	@$(PARALLEL) $(SCENARIOS:%=molecule-%)
	@$(MAKE) --no-print-directory molecule-failover
	@$(MAKE) --no-print-directory picture

.PHONY: picture
picture: $(READY) ## render the last drills' page in a real browser: build/picture
	@scripts/setup browser
	$(call say,picture: the report light and dark and on a phone and on paper)
	@scripts/screenshot build/failover/$(LAB_ENGINE)-$(LAB_PROFILE)-$(LAB_DEBIAN)/promised/report.html build/picture

.PHONY: test-full
test-full: test ## test, the remaining scenarios, and every fault and every sabotage on every pair
	@$(PARALLEL) $(FURTHER:%=molecule-%)
	@$(MAKE) --no-print-directory matrix

# One after the other, because they have the names of the scenarios on Debian.
.PHONY: family
family: ## both engines, pairs made by hand and the promised faults on nodes that are Red Hat's to Ansible
	@for scenario in default haproxy handmade failover; do \
		$(MAKE) --no-print-directory molecule-$$scenario LAB_FAMILY=redhat || exit; \
	done

.PHONY: matrix
matrix: ## drill every fault: both engines, two profiles, two releases of Debian
	@for release in 12 13; do for engine in nginx haproxy; do for profile in standard fast; do \
		$(MAKE) --no-print-directory molecule-failover \
			LAB_FAULTS=all LAB_DEBIAN=$$release LAB_ENGINE=$$engine LAB_PROFILE=$$profile; \
	done; done; done

.PHONY: sanity
sanity: $(READY) ## ansible-test sanity on a copy of this checkout
	$(call say,ansible-test sanity (it creates its own environments: a minute))
	@scripts/sanity

# Molecule's state goes to build/ too: its default place is shared by all checkouts of the same name.
molecule-%: $(READY)
	$(call say,molecule: scenario $*)
	@MOLECULE_EPHEMERAL_DIRECTORY=$(CURDIR)/build/molecule/.notes/$* molecule test --no-command-borders --scenario-name $*

# This one runs with the oldest ansible-core.
molecule-installed: installed oldest
molecule-installed: export PATH := $(CURDIR)/build/cores/2.18/ansible:$(PATH)

.PHONY: oldest
oldest: $(READY)
	@scripts/core 2.18 >/dev/null

.PHONY: installed
installed: $(READY) ## build the collection and install its tarball into build/installed
	$(call say,build the collection and install it from its tarball)
	@rm -rf build/dist build/installed
	@ansible-galaxy collection build --output-path build/dist
	@ANSIBLE_COLLECTIONS_PATH=build/installed ansible-galaxy collection install --offline build/dist/*.tar.gz

# --- releases

.PHONY: release
release: $(READY) ## make release VERSION=1.2.3: changelog, commit, tag, and a reproducible tarball in build/release
	@scripts/release "$(VERSION)"

.PHONY: tarball
tarball: $(READY) ## make tarball VERSION=1.2.3: build a released version again, the same bytes
	@scripts/tarball "$(VERSION)" build/release

# --- the tools

.PHONY: .venv
.venv: $(READY)

# A stamp, not the directory, so that make repeats an interrupted installation.
.venv/installed: requirements.txt
	@scripts/setup python
	$(call say,venv: installing the pinned Python packages into .venv (a minute, once))
	@python3 -m venv .venv
	@$(BIN)/pip install -qq --disable-pip-version-check --requirement requirements.txt
	@touch $@

$(LINK):
	@mkdir -p $(@D)
	@ln -sfn ../../../.. $@
