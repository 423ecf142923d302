"""The numbers relay and consumer processes show to Prometheus; every one carries the service it belongs to."""

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600)

OUTBOX_UNCONFIRMED = Gauge("outbox_unconfirmed", "Numbered, not yet confirmed by the broker", ["service"])
OUTBOX_OLDEST_S = Gauge(
    "outbox_oldest_unconfirmed_seconds", "Age of the oldest event the broker has not confirmed", ["service"]
)
SEQUENCED = Counter("outbox_sequenced", "Events numbered", ["service"])
PUBLISHED = Counter(
    "relay_publish", "Publications by outcome: ack, nack, returned, timeout", ["service", "result"]
)
CONFIRM_S = Histogram("relay_confirm_seconds", "Publication to confirm", ["service"], buckets=SECONDS)
INFLIGHT = Gauge("relay_inflight", "Published, not yet confirmed", ["service"])
LEADER = Gauge("relay_leader", "1 in the one active relay", ["service"])
BLOCKED = Gauge("relay_blocked", "1 while the broker blocks publishers", ["service"])
STUCK = Gauge("relay_stuck", "1 when one event failed many times in a row", ["service"])
RECONNECTS = Counter("amqp_reconnect", "Connections given up", ["service", "role"])

LAG_EVENTS = Gauge(
    "consume_lag_events", "Producer's last number minus the contiguous number here", ["service", "source"]
)
LAG_S = Histogram(
    "consume_lag_seconds",
    "Occurred to committed here, oldest event of a batch",
    ["service", "source"],
    buckets=SECONDS,
)
BATCH_EVENTS = Histogram(
    "consume_batch_size",
    "Messages per batch",
    ["service"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
)
BATCH_S = Histogram("batch_commit_seconds", "Begin to commit of a batch", ["service"], buckets=SECONDS)
DUPLICATES = Counter("inbox_duplicate", "Deliveries that were known already", ["service"])
REDELIVERED = Counter("redelivered", "Deliveries the broker marked as repeated", ["service"])
WAITING = Gauge(
    "consume_waiting", "1 while a batch cannot be applied for a fault that is not its own", ["service"]
)
PARKED = Counter("parked", "Events parked, by reason", ["service", "reason"])
PARKED_OPEN = Gauge("parked_events", "Events parked now", ["service"])
GAP_OPEN = Gauge("gap_open", "Events known to be missing", ["service", "source"])
GAP_REPAIRED = Counter("gap_repaired", "Missing events fetched from the producer", ["service", "source"])
HALTED = Gauge(
    "source_halted", "1 while nothing of the source is applied: its log contradicts", ["service", "source"]
)
WATERMARK_AGE_S = Gauge(
    "watermark_age_seconds", "How long the watermark has stood although more exists", ["service", "source"]
)
LOG_HELD = Gauge(
    "log_held", "1 while the service numbers nothing: its log was set back or moved", ["service"]
)
CHAIN_MONTHS_DUE = Gauge(
    "chain_months_due", "Months of audit and log of rows that are old and not archived yet", ["service"]
)
LOG_MONTHS_DUE = Gauge("log_months_due", "Months of the log that are old and not archived yet", ["service"])
