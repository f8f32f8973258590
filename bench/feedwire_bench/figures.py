"""The figures of bench/fanout, from what each measurement cost.

Absolute times are of one machine and one moment. So figures are ratios of measurements that stand next to each other in time, and each has its
median over the rounds with the lowest and the highest."""

import statistics

from .steady import Cost

VARIANTS = ("fanout", "function", "plain")
# (followers of the author, state of the feeds) -> variant -> a cost for each round
Costs = dict[tuple[int, str], dict[str, list[Cost]]]
GOALS = {"vs_function_limit": ">= 0.85", "vs_plain_commands": ">= 0.6", "worker_cpu_vs_redis_cpu": "<= 0.33"}


def spread(values: list[float], digits: int | None) -> dict[str, float]:
    """digits None: whole numbers."""
    return {"median": round(statistics.median(values), digits), "low": round(min(values), digits), "high": round(max(values), digits)}


def ratios(above: list[Cost], below: list[Cost]) -> list[float]:
    return [a.writes_per_redis_cpu_s / b.writes_per_redis_cpu_s for a, b in zip(above, below)]


def workload_figures(followers: int, state: str, costs: dict[str, list[Cost]]) -> dict:
    figures = {"followers": followers, "feeds": state}
    for variant in VARIANTS:
        figures[variant] = {
            "writes_measured": sum(cost.writes for cost in costs[variant]),
            "writes_per_redis_cpu_s": spread([cost.writes_per_redis_cpu_s for cost in costs[variant]], None),
            "redis_cpu_us_per_write": spread([1e6 / cost.writes_per_redis_cpu_s for cost in costs[variant]], 2),
            "writes_per_s": spread([cost.writes / cost.seconds for cost in costs[variant]], None),
        }
    figures["fanout"]["worker_cpu_us_per_write"] = spread([1e6 * cost.driver_cpu_s / cost.writes for cost in costs["fanout"]], 2)
    figures["vs_function_limit"] = spread(ratios(costs["fanout"], costs["function"]), 3)
    figures["vs_plain_commands"] = spread(ratios(costs["function"], costs["plain"]), 3)
    figures["worker_cpu_vs_redis_cpu"] = spread([cost.driver_vs_redis_cpu for cost in costs["fanout"]], 3)
    return figures


def together(costs: list[list[Cost]]) -> list[Cost]:
    """The workloads as one, round by round, in which each has the same number of writes."""
    whole = []
    for parts in zip(*costs):
        writes = sum(part.writes for part in parts)
        share = writes / len(parts)
        whole.append(
            Cost(
                writes,
                sum(part.seconds * share / part.writes for part in parts),
                sum(part.redis_cpu_s * share / part.writes for part in parts),
                sum(part.driver_cpu_s * share / part.writes for part in parts),
            )
        )
    return whole


def all_figures(costs: Costs) -> dict:
    """The headline figures are of full feeds."""
    full = [workload for workload in costs if workload[1] == "full"]
    whole = {variant: together([costs[workload][variant] for workload in full]) for variant in VARIANTS}
    spreads = {
        "vs_function_limit": spread(ratios(whole["fanout"], whole["function"]), 3),
        "vs_plain_commands": spread(ratios(whole["function"], whole["plain"]), 3),
        "worker_cpu_vs_redis_cpu": spread([cost.driver_vs_redis_cpu for cost in whole["fanout"]], 3),
        "writes_per_redis_cpu_s": spread([cost.writes_per_redis_cpu_s for cost in whole["fanout"]], None),
    }
    return {
        **{name: value["median"] for name, value in spreads.items()},
        "spread": spreads,
        "workloads": [workload_figures(followers, state, costs[followers, state]) for followers, state in costs],
    }


def as_text(figures: dict) -> str:
    lines = [
        "                    Redis CPU a write, us       fanout vs  function   fanout's CPU",
        "followers  feeds    fanout  function   plain     function  vs plain    vs Redis'",
    ]
    for row in figures["workloads"]:
        us = [row[variant]["redis_cpu_us_per_write"]["median"] for variant in VARIANTS]
        shares = [row[name]["median"] for name in GOALS]
        lines.append(
            f"{row['followers']:>9,}  {row['feeds']:<7}  {us[0]:>6.2f}  {us[1]:>8.2f}  {us[2]:>6.2f}  {shares[0]:>11.2f}  {shares[1]:>8.2f}  {shares[2]:>11.2f}"
        )
    lines.append("Full feeds, the same number of writes for each number of followers:")
    for name, value in figures["spread"].items():
        goal = f"   goal {GOALS[name]}" if name in GOALS else ""
        lines.append(f"  {name:<24} {value['median']:>9,}   ({value['low']:,} .. {value['high']:,}){goal}")
    return "\n".join(lines)
