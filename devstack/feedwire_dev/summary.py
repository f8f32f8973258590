"""What a play-in took: the figures of docs/performance.md."""

import statistics

from .admin import total
from .stack import Stack

MIB = 2**20


def measure(stack: Stack, accepted: int, seconds: float) -> dict:
    """Asks the parts, which must all be running."""
    fanout = stack.fanout.metrics()
    writes = {result: int(fanout.get(f'fanout_feed_writes_total{{result="{result}"}}', 0)) for result in ("added", "present", "beyond_cap")}
    figures = {
        "records_accepted": accepted,
        "seconds": round(seconds, 2),
        "records_per_second": round(accepted / seconds) if seconds else 0,
        "repeats": int(fanout.get("fanout_repeats_total", 0)),
        "dead_letters": int(fanout.get('fanout_records_total{result="dead_letter"}', 0)),
        "feed_writes": int(total(fanout, "fanout_feed_writes_total")),
        "feed_writes_by_result": writes,
        "feed_writes_per_second": round(sum(writes.values()) / seconds) if seconds else 0,
        "processes": {
            process.name: {"cpu_seconds": round(process.cpu_seconds(), 2), "peak_memory_mib": round(process.peak_memory_mib(), 1)}
            for process in stack.processes
        },
    }
    if stack.redis:
        figures["redis"] = {"used_memory_mib": round(stack.redis.used_memory() / MIB, 1)}
        for name, prefix in (("home_feeds", "f"), ("notifications", "n"), ("outboxes", "o")):
            sizes = stack.redis.memory_of(f"{prefix}:*")
            figures["redis"][name] = {"count": len(sizes), "bytes_mean": round(statistics.mean(sizes)), "bytes_max": max(sizes)} if sizes else {"count": 0}
    return figures


def as_text(figures: dict) -> str:
    writes = figures["feed_writes_by_result"]
    lines = [
        f"  records accepted {figures['records_accepted']:>12,}   in {figures['seconds']} s: {figures['records_per_second']:,} a second",
        f"  repeats counted  {figures['repeats']:>12,}",
        f"  dead letters     {figures['dead_letters']:>12,}",
        f"  feed writes      {figures['feed_writes']:>12,}   {figures['feed_writes_per_second']:,} a second; "
        f"{writes['added']:,} added an entry, {writes['present']:,} were there, {writes['beyond_cap']:,} were too old for the feed",
    ]
    for name, feeds in figures.get("redis", {}).items():
        if isinstance(feeds, dict) and feeds["count"]:
            label = f"Redis, {name.replace('_', ' ')}"
            lines.append(f"  {label:<21} {feeds['count']:>7,}   {feeds['bytes_mean']:,} bytes each, {feeds['bytes_max']:,} at most")
    if "redis" in figures:
        lines.append(f"  Redis in all     {figures['redis']['used_memory_mib']:>12,}   MiB")
    lines.append("  process           CPU seconds   peak memory")
    lines += [f"  {name:<16} {used['cpu_seconds']:>12} {used['peak_memory_mib']:>9} MiB" for name, used in figures["processes"].items()]
    return "\n".join(lines)
