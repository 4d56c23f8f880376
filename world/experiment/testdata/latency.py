import px

# How fast the consumer service answers, in windows of 10 s over the last 2 minutes.

window = px.DurationNanos(px.seconds(10))


def requests_to(service: px.Service, start_time: str):
    """The requests that reached a service, seen at its own end, health checks left out."""
    df = px.DataFrame(table="http_events", start_time=start_time)
    df = df[df.trace_role == 2]
    df.service = df.ctx["service"]
    df = df[px.has_service_name(df.service, service)]
    df = df[df.req_path != "/healthz" and df.req_path != "/readyz"]
    return df


df = requests_to("default/consumer", "-2m")
df.window = px.bin(df.time_, window)
df.failed = df.resp_status >= 400
df = df.groupby("window").agg(
    latency=("latency", px.quantiles),
    requests=("latency", px.count),
    error_rate=("failed", px.mean),
)
df.latency_p50 = px.DurationNanos(px.floor(px.pluck_float64(df.latency, "p50")))
df.latency_p99 = px.DurationNanos(px.floor(px.pluck_float64(df.latency, "p99")))
df.error_rate = px.Percent(df.error_rate)
df.throughput = df.requests / window
df.time_ = df.window
px.display(df[["time_", "latency_p50", "latency_p99", "error_rate", "throughput"]])
