"""Prometheus metrics of every process, in one place so that names are not invented twice."""

from prometheus_client import Counter, Gauge, Histogram

REQUEST_SECONDS = Histogram(
    "apotheca_request_seconds",
    "Duration of HTTP requests.",
    ["endpoint", "status"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
JOB_RUNS = Counter("apotheca_job_runs_total", "Runs of time-driven jobs.", ["job", "result"])
JOB_SECONDS = Histogram("apotheca_job_seconds", "Duration of time-driven jobs.", ["job"])
SCHEDULER_LEADER = Gauge("apotheca_scheduler_leader", "1 while this process holds the scheduler's lock.")
