#!/usr/bin/env python3
"""Prints what tests/bench/ledger measured: ledger_report.py --text|--json DIRECTORY SECONDS LOAD_BEFORE."""
import json
import os
import pathlib
import platform
import re
import sys

# What the ledger is built to do on two cores, at 1024 outstanding pairs.
AIM_PAIRS_PER_SECOND, AIM_P99_MS, AIM_TIMES_POSTGRES = 100_000, 20, 20
FLUSHES_PER_COMMIT = 2  # the journal's and the anchor's


def first_match(path, pattern):
    found = re.search(pattern, pathlib.Path(path).read_text(), re.M)
    return found[1] if found else "unknown"


def describe_machine(load):
    return {
        "cpu": first_match("/proc/cpuinfo", r"^model name\s*: (.*)$"), "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(first_match("/proc/meminfo", r"^MemTotal:\s*(\d+)")) / 2**20),
        "system": first_match("/etc/os-release", r'^PRETTY_NAME="(.*)"$'), "kernel": platform.release(),
        "load_before": float(load),
    }


def read(path):
    return json.loads(path.read_text()) if path.exists() else None


def collect(folder, seconds, load):
    sizes = [read(path) for path in folder.glob("size-*.json")]
    return {"machine": describe_machine(load), "seconds": seconds, "disk": read(folder / "disk.json"),
            "ledger": read(folder / "main.json"), "postgres": read(folder / "postgres.json"),
            "sizes": sorted(sizes, key=lambda size: size["accounts"])}


def row_at(ledger, outstanding, apart=False):
    return next(row for row in ledger["rows"] if row["outstanding"] == outstanding and row["apart"] == apart)


def best(rows):
    return max(rows, key=lambda row: row["pairs_per_second"], default=None)


def table(columns, rows):
    """columns: (title, width, text of a row)."""
    print("".join(title.rjust(width) for title, width, _ in columns))
    for row in rows:
        print("".join(text(row).rjust(width) for _, width, text in columns))
    print()


def milliseconds(name):
    return lambda row: f"{row[name] / 1000:,.2f}"


def whole(name):
    return lambda row: f"{row[name]:,.0f}"


def one_digit(name):
    return lambda row: f"{row[name]:,.1f}"


RATE = ("pairs/s", 11, whole("pairs_per_second"))
TIMES = [("p50 ms", 10, milliseconds("p50_us")), ("p99 ms", 10, milliseconds("p99_us")),
         ("max ms", 10, milliseconds("max_us"))]
CPU = [("decide", 8, one_digit("decide_cpu_us")), ("write", 7, one_digit("write_cpu_us")),
       ("fold", 7, one_digit("fold_cpu_us")), ("others", 8, one_digit("other_cpu_us")),
       ("load", 7, one_digit("load_cpu_us")), ("all us", 8, one_digit("cpu_us"))]
COSTS = [
    *CPU, ("written B", 11, whole("written_bytes")),
    ("flushes/s", 11, lambda row: f"{FLUSHES_PER_COMMIT * row['commits_per_second']:,.0f}"),
    ("pairs/commit", 14, one_digit("pairs_per_commit")),
]


def print_disk(disk):
    print("the disk alone: one durable write after the other")
    table([("write", 10, lambda row: row["write"]), ("bytes", 8, whole("bytes")),
           ("per second", 12, whole("per_second")), *TIMES[:2]], disk)


def print_ledger(ledger):
    print(f"farebox, {ledger['accounts']:,} accounts; CPU (us, by thread) and bytes are of a pair")
    table([("outstanding", 12, whole("outstanding")),
           ("", 10, lambda row: "in two" if row["apart"] else ""), RATE, *TIMES, *COSTS], ledger["rows"])


def print_postgres(postgres):
    print(f"PostgreSQL {postgres['version']}, {postgres['accounts']:,} accounts; with the fees on one account, as"
          f" farebox has them, and spread, which is what helps it most")
    table([("clients", 12, whole("clients")), ("", 10, lambda row: "in two" if row["script"] == "apart" else ""), RATE,
           *TIMES, ("CPU us", 11, one_digit("server_cpu_us")), ("log B", 9, whole("log_bytes")),
           ("fee accounts", 14, whole("fee_accounts"))], postgres["rows"])


def print_sizes(report):
    rows = [{**size, **row_at(size, 1024)} for size in [*report["sizes"], report["ledger"]]]
    rows.sort(key=lambda row: row["accounts"])
    print("farebox by the number of accounts, 1,024 outstanding pairs")
    table([("accounts", 12, whole("accounts")), RATE, *TIMES, *CPU, COSTS[len(CPU)],
           ("opening s", 11, one_digit("fund_seconds")), ("B/account", 11, whole("resident_bytes_per_account"))], rows)


def print_ratio(name, ours, theirs):
    ratio = ours["pairs_per_second"] / theirs["pairs_per_second"]
    print(f"farebox to PostgreSQL, {name}: {ratio:.1f} times the pairs/s ({ours['outstanding']:,} outstanding to "
          f"{theirs['clients']} clients)")
    return ratio


def print_ratios(ledger, postgres):
    pair = [row for row in postgres["rows"] if row["script"] == "pair"]
    ours = best([row for row in ledger["rows"] if not row["apart"]])
    ratio = print_ratio("best to best", ours, best(pair))
    print_ratio("one fee account each", ours, best([row for row in pair if row["fee_accounts"] == 1]))
    print_ratio("hold and capture apart", row_at(ledger, 1024, True),
                best([row for row in postgres["rows"] if row["script"] == "apart"]))
    return ratio


def print_limit(machine, ledger):
    row = row_at(ledger, 1024)
    total_us = row["cpu_us"]
    print(f"at 1,024 outstanding a pair costs {total_us:.1f} us of CPU, the load included: {machine['cores']} cores"
          f" doing nothing else could do {machine['cores'] * 1e6 / total_us:,.0f}/s")


def print_aims(ledger, ratio):
    row = row_at(ledger, 1024)
    rate, p99_ms = row["pairs_per_second"], row["p99_us"] / 1000
    print(f"aims, at 1,024 outstanding: {rate:,.0f} of {AIM_PAIRS_PER_SECOND:,} pairs/s "
          f"({100 * rate / AIM_PAIRS_PER_SECOND:.0f} %), p99 {p99_ms:.1f} ms where {AIM_P99_MS} are allowed"
          + (f", {ratio:.1f} of {AIM_TIMES_POSTGRES} times PostgreSQL" if ratio else ""))


def print_text(report):
    machine = report["machine"]
    print(f"{machine['cores']} x {machine['cpu']}, {machine['memory_gib']} GiB, {machine['system']}, Linux "
          f"{machine['kernel']}; load before: {machine['load_before']:.2f}; the load comes from the same cores; "
          f"{report['seconds']} s a row\n")
    print_disk(report["disk"])
    print_ledger(report["ledger"])
    if report["postgres"]:
        print_postgres(report["postgres"])
    print_sizes(report)
    print_limit(machine, report["ledger"])
    print_aims(report["ledger"], print_ratios(report["ledger"], report["postgres"]) if report["postgres"] else None)


def main(args):
    how, folder, seconds, load = args
    report = collect(pathlib.Path(folder), int(seconds), load)
    if how == "--json":
        print(json.dumps(report, indent="\t"))
    else:
        print_text(report)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
