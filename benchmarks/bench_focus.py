"""An export for finance before the official validator of FOCUS 1.2: failures beyond the one that nobody can avoid."""

import argparse
import csv
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from measured import machine, report
from modicum.calls import Basis, BucketCosts, Call, Charges, Cost, Entry, Owner, Tier, Usage
from modicum.ledger.opening import open_store
from modicum.metering.price_file import Subscription
from modicum.reports.focus.corrections import correct
from modicum.reports.focus.files import read_focus_csv, write_focus_csv, write_focus_parquet
from modicum.reports.focus.hours import parse_hours
from modicum.reports.focus.rows import CreditedSaving, build_rows

HERE = Path(__file__).resolve().parent.parent
MODEL = "1.2.0.1"
CRITERIA = (
    "ACCOUNT_NAMING_SUPPORTED",
    "MULTIPLE_BILLING_ACCOUNT_TYPES_SUPPORTED",
    "MULTIPLE_PRICING_CATEGORIES_SUPPORTED",
    "MULTIPLE_SUB_ACCOUNT_TYPES_SUPPORTED",
    "NEGOTIATED_PRICING_SUPPORTED",
    "PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED",
    "PUBLIC_PRICE_LIST_SUPPORTED",
    "REGION_SUPPORTED",
    "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED",
    "SUB_ACCOUNT_SUPPORTED",
    "TAGGING_SUPPORTED",
    "UNIT_PRICING_SUPPORTED",
    "USAGE_MEASUREMENT_SUPPORTED",
)
"""What is claimed of the data. Not claimed: commitment discounts, capacity reservations, virtual currencies,
availability zones, resources that are provisioned."""
KNOWN = {"InvoiceId-C-005-C"}
"""The model checks both that the column is null (C-004, for rows on no invoice) and that it is not (C-005, for rows on
one), on all rows: one of the two always fails. An export from a meter is on no invoice."""
START = datetime(2026, 10, 30, 22, tzinfo=UTC)
EVER = {"since": datetime(1990, 1, 1, tzinfo=UTC), "until": datetime(2200, 1, 1, tzinfo=UTC)}
MANDATORY = (
    *("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "BillingAccountId", "BillingCurrency"),
    *("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory"),
    *("InvoiceIssuerName", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName"),
)


def entries() -> Iterable[Entry]:
    """One of each kind: two months, lanes, regions, large contexts, fees, totals alone, unknown costs, sources that a
    subscription covers, costs that do not divide.
    """
    for number in range(400):
        usage = Usage(3, 40_000 + number, 900, 70, 300 + number, 20)
        dear = 2 if number % 50 == 0 else 1
        costs = BucketCosts(
            input_uncached=dear * 3 * Decimal("0.000005"),
            cache_read=dear * usage.cache_read * Decimal("0.0000005"),
            cache_write_5m=dear * 900 * Decimal("0.00000625"),
            cache_write_1h=dear * 70 * Decimal("0.00001"),
            output_visible=dear * usage.output_visible * Decimal("0.000025"),
            output_reasoning=dear * 20 * Decimal("0.000025"),
            requests=Decimal("0.01") if number % 9 == 0 else Decimal(0),
        )
        total = costs.total + (Decimal("0.0000000003") if number % 4 == 0 else Decimal(0))
        cost = Cost(total, Basis.EXACT, costs, "genai-prices", "1")
        if number % 11 == 0:
            cost = Cost.unknown()
        elif number % 13 == 0:
            cost = Cost(Decimal(1) / Decimal(3), Basis.ESTIMATED, None, "reported", "")
        call = Call(
            call_id=f"c{number}",
            source="claude-code" if number % 3 == 0 else "gateway",
            provider=("anthropic", "openai", "", "aws")[number % 4],
            model="claude-opus-4-5" if number % 7 else "a-model-of-ours",
            started=START + timedelta(minutes=11 * number),
            usage=Usage() if number % 22 == 0 else usage,
            usage_basis=Basis.UNKNOWN if number % 22 == 0 else Basis.EXACT,
            tier=(Tier.STANDARD, Tier.BATCH, Tier.PRIORITY)[number % 3],
            charges=Charges({"web_search": 1} if number % 9 == 0 else {}, "eu" if number % 5 == 0 else ""),
            owner=Owner(("search", "", "=cmd", "7")[number % 4], "shop", f"u{number % 6}", ("k1", "")[number % 2]),
            tags={"client": ("acme", "", '"quoted", <b>')[number % 3]},
        )
        yield Entry(call, cost)


def validate(path: Path, python: Path) -> tuple[int, set[str]]:
    """How many rules passed, and which failed."""
    packages = next(python.parent.parent.glob("lib/python3.*/site-packages"))
    command = [
        *(python.with_name("focus-validator"), "--data-file", path, "--validate-version", MODEL, "--block-download"),
        *("--applicability-criteria", ",".join(CRITERIA)),
    ]
    # It looks for its own rules in the current folder.
    ran = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=packages, check=False)
    passed = len(re.findall(r"^\S+ \S+: PASS", ran.stdout, re.MULTILINE))
    if not passed:
        sys.exit(f"the validator did not run: {(ran.stdout + ran.stderr)[-2000:]}")
    return passed, set(re.findall(r"^\S+ (\S+): FAIL", ran.stdout, re.MULTILINE))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", help="not used: the ledger is synthetic")
    options = parser.parse_args()
    if subprocess.run([HERE / "scripts/focus-env"], check=False).returncode:
        sys.exit("the validator cannot be installed here; nothing was checked")
    with tempfile.TemporaryDirectory(prefix="modicum-bench-") as folder:
        report(measure(Path(folder)), as_json=options.json)


def measure(folder: Path) -> dict[str, object]:
    python = HERE / ".venv-focus/bin/python"
    store = open_store(str(folder / "ledger.duckdb"))
    store.append(list(entries()))
    dimensions = ["app", "key", "client"]
    asked = store.ask("charges_by_hour", by=["app", "key", "tag"], tag=["", "", "client"], zone="UTC", where={}, **EVER)
    bill = store.ask("bill", by="model", tag="", zone="UTC", where={}, **EVER)
    store.close()
    hours = parse_hours(asked, dimensions)
    fees = [Subscription("Claude Max", "claude-code", Decimal(200))]
    saving = CreditedSaving("cheaper-model", START, 12.5, 3.0, 20.25)
    rows = build_rows(hours, fees, [saving])
    _write(folder / "rows.csv", rows)
    write_focus_parquet(folder / "rows.parquet", rows, "1.2")
    later = build_rows(hours[:-30] + hours[-20:], fees, [saving])
    _write(folder / "corrections.csv", correct(read_focus_csv(folder / "rows.csv"), later, "1.2"))
    _write_mandatory(folder / "mandatory.csv", rows)
    plain = build_rows(hours)
    found = {kind: validate(folder / kind, python) for kind in ("rows.csv", "rows.parquet", "corrections.csv")}
    baseline = validate(folder / "mandatory.csv", python)
    failures = {kind: failed for kind, (_, failed) in found.items()}
    unexpected = {f"{kind}: {rule}" for kind, failed in failures.items() for rule in failed - KNOWN}
    return {
        "focus.unexpected_failures": len(unexpected),
        "unexpected": ", ".join(sorted(unexpected)) or "none",
        "known_failures": ", ".join(sorted(set().union(*failures.values()) & KNOWN)),
        "rules_passed_csv": found["rows.csv"][0],
        "rules_passed_parquet": found["rows.parquet"][0],
        "rules_passed_corrections": found["corrections.csv"][0],
        "baseline_failures": len(baseline[1] - KNOWN),
        "rows": len(rows),
        "billed_less_bill_usd": str(
            sum(row["BilledCost"] for row in plain) - sum(cell["cost_usd"] or 0 for cell in bill)
        ),
        "validator": "focus-validator 2.2.1, model " + MODEL,
        "machine": machine(),
    }


def _write(path: Path, rows: list[Mapping[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_focus_csv(stream, rows, "1.2")


def _write_mandatory(path: Path, rows: list[Mapping[str, object]]) -> None:
    """The baseline: the columns that every row must have, and no more."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(MANDATORY)
        writer.writerows([row[name] for name in MANDATORY] for row in rows)


if __name__ == "__main__":
    main()
