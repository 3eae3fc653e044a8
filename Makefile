# Everything from a fresh Debian 12 with cargo, rustc, rustfmt, clippy and python3. `make help` lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-live oracle lint e2e bench fuzz clean-tools

TOOLS := $(or $(PREFLIGHT_TOOLS),target/tools)
DEMO ?= fixtures/clusters/shop
SECONDS ?= 60

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Debian packages, PostgreSQL 13-18, Patroni, etcd, PgBouncer, libclang, systemd-nspawn, ssh, Ansible, Chromium; quick when done
	@scripts/setup.sh

demo: setup ## findings on a small cluster that is not ready
	@cargo build --quiet --locked
	@target/debug/patroni-preflight lint $(DEMO) || test $$? -eq 1

# Many tests wait for programs: twice as many as processors run side by side.
export RUST_TEST_THREADS ?= $(shell echo $$((2 * $$(nproc))))

test: setup ## all tests, the comparisons with the real programs in their short form
	@rm -f target/proofs.tsv
	cargo test --locked --no-fail-fast
	@echo "what the proofs have shown: target/proofs.md"
	@cargo test --quiet --locked --test all -- --ignored --exact proofs::table::what_the_run_has_shown

test-live: setup ## of all tests those with real programs that run: PostgreSQL, etcd, Patroni, systemd and Ansible on hosts of their own
	cargo test --locked --no-fail-fast --test all -- live::

oracle: setup ## the comparisons with the real programs in their long form, some minutes (PREFLIGHT_ORACLE_N, PREFLIGHT_SEED)
	PREFLIGHT_ORACLE_N=$(or $(PREFLIGHT_ORACLE_N),100000) cargo test --locked --test all -- --nocapture oracle_yaml
	PREFLIGHT_ORACLE_N=$(or $(PREFLIGHT_ORACLE_N),20000) cargo test --locked --test all -- --nocapture \
	  oracle_are oracle_conf oracle_hba oracle_logins
	PREFLIGHT_ORACLE_N=$(or $(PREFLIGHT_ORACLE_N),3000) cargo test --locked --test all -- --nocapture \
	  oracle_patroni patroni_keys sql:: unit::
	PREFLIGHT_ORACLE_N=$(or $(PREFLIGHT_ORACLE_N),1000000) cargo test --locked --test all -- --nocapture templates::

lint: setup ## fmt, clippy, cargo-deny, typos
	@scripts/setup.sh deny
	cargo fmt --all --check
	cargo clippy --locked --all-targets -- -D warnings
	$(TOOLS)/cargo/bin/cargo-deny --log-level error check bans licenses sources
	@scripts/advisories.sh
	$(TOOLS)/py/bin/typos

e2e: setup ## predictions against what really happens: every case with every version, and PREFLIGHT_N=200 clusters made at random; 40 minutes
	cargo test --locked --test all -- --ignored --nocapture live::predict

bench: setup ## times against the named peers, in one run (ARGS=--strict: fail on a missed aim)
	cargo build --quiet --locked --release
	cargo bench --quiet --locked --bench lint -- $(ARGS)
	cargo bench --quiet --locked --bench check -- $(ARGS)

fuzz: setup ## every fuzz target for SECONDS=60 (TARGET=yaml: only that one); needs g++
	scripts/fuzz.sh $(SECONDS) $(TARGET)

clean-tools: ## forget what setup has brought
	rm -rf $(TOOLS)/ && rm -f $(TOOLS)
