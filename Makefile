# The same words as scripts/, for those who have make.
.PHONY: setup up check test test-fast bench docs
setup:
	scripts/setup dev
up:
	scripts/up
check:
	scripts/check
test:
	scripts/test
test-fast:
	scripts/test -m "not slow" -n 2
bench:
	scripts/bench
docs:
	scripts/setup dev
	.venv/bin/python -m cordillera.manifest.schema src/cordillera/manifest/cordillera.schema.json
	.venv/bin/python -m cordillera.manifest.reference docs/manifest.md
	.venv/bin/python -m cordillera.cli.support_page docs/support.md
