package main

import "fmt"

// row is one line of the table: a measured value, or the ratio of two; a row
// without key is a heading.
type row struct {
	what  string
	about string // of a heading: what is compared with what
	key   string // "package Benchmark/sub unit"
	per   string // another key to divide by
	unit  string // after scale; empty for a ratio

	scale     float64 // from the benchmark's unit to the row's; 0: as it is
	low, high float64 // the aim, 0: none on that side
}

func (r row) met(v float64) bool {
	return (r.low == 0 || v >= r.low) && (r.high == 0 || v <= r.high)
}

func (r row) aim() string {
	switch {
	case r.low != 0 && r.high != 0:
		return fmt.Sprintf("%g to %g", r.low, r.high)
	case r.low != 0:
		return fmt.Sprintf("at least %g", r.low)
	case r.high != 0:
		return fmt.Sprintf("at most %g", r.high)
	}
	return ""
}

const (
	nsToMs = 1e-6
	nsToUs = 1e-3
)

// table is what Brine aims at. The network's ratios are those of the fastest way
// known to make one, raw netlink with one queue per link, on a quiet machine.
var table = []row{
	{what: "A cluster's parts", about: "Namespaces, links, addresses and names of so many nodes, the clients, the services and the switch, from\nnothing ÷ the unshare calls that make as many namespaces; taken in turn."},
	{what: "network of 3 nodes", key: "netfab OfUnshare/3 of-unshare", high: 2.7},
	{what: "network of 100", key: "netfab OfUnshare/100 of-unshare", high: 2.3},
	{what: "network of 1,000", key: "netfab OfUnshare/1000 of-unshare", high: 2.4},
	{what: "network of 3 nodes, with programs loaded and attached", key: "world Network/3 of-unshare", high: 4},
	{what: "network of 100, with programs", key: "world Network/100 of-unshare", high: 5.4},
	{what: "network of 1,000, with programs", key: "world Network/1000 of-unshare", high: 5.7},
	{what: "network of 3 nodes, with programs: time", key: "world Network/3 up-ms", unit: "ms"},
	{what: "network of 100, with programs: time", key: "world Network/100 up-ms", unit: "ms"},
	{what: "network of 1,000, with programs: time", key: "world Network/1000 up-ms", unit: "ms"},
	{what: "25 containers ÷ runc alone", key: "containers Cluster/nodes=25 up-ms", per: "containers BareRunc up-ms", high: 1.5},

	{what: "Whole clusters, warm", about: "Engine running, images there."},
	{what: "3 nodes of a tiny program: up", key: "world Cluster/3_nodes_of_sleeper up-ms", unit: "ms"},
	{what: "10 nodes: up", key: "world Cluster/10_nodes_of_sleeper up-ms", unit: "ms"},
	{what: "25 nodes: up", key: "world Cluster/25_nodes_of_sleeper up-ms", unit: "ms"},
	{what: "25 nodes: all gone", key: "world Cluster/25_nodes_of_sleeper teardown-ms", unit: "ms"},
	{what: "3 nodes of etcd: up and ready", key: "world Cluster/3_nodes_of_etcd up-ms", unit: "ms"},
	{what: "3 nodes of etcd: one isolated, and proved", key: "world Cluster/3_nodes_of_etcd isolate-ms", unit: "ms"},
	{what: "3 nodes of etcd: all gone", key: "world Cluster/3_nodes_of_etcd teardown-ms", unit: "ms"},
	{what: "etcd isolation, whole scenario", key: "world Cluster/3_nodes_of_etcd whole-ms", unit: "ms", high: 3000},

	{what: "Histories", about: "What clients did, recorded while they work, and judged when they stopped."},
	{what: "recorded by 8 clients at once", key: "world/history Add/flat-out ops/s", unit: "per s", low: 50_000},
	{what: "50,000 per second: of one processor's time, by the median", key: "world/history Add/50000-per-second share-%", unit: "%", high: 10},
	{what: "50,000 per second: p99 of what a client waits for it", key: "world/history Add/50000-per-second p99-µs", unit: "µs", high: 20},
	{what: "100,000 operations read from a file", key: "world/history Check/load s/100k", unit: "s", high: 10},
	{what: "… on 10 registers: linearizable", key: "world/history Check/registers-linearizable s/100k", unit: "s", high: 10},
	{what: "… on 10 registers: no read goes back in time", key: "world/history Check/registers-back s/100k", unit: "s", high: 10},
	{what: "… on a set: no acknowledged write is lost", key: "world/history Check/set-lost s/100k", unit: "s", high: 10},
	{what: "… on lists: strictly serializable", key: "world/history Check/list-serializable s/100k", unit: "s", high: 10},
	{what: "… on one counter: linearizable", key: "world/history Check/counter-linearizable s/100k", unit: "s", high: 30},
	{what: "… of transfers: strictly serializable", key: "world/history Check/accounts-serializable s/100k", unit: "s", high: 10},

	{what: "Harm and heal", about: "A rule, or a split into halves, put in force and healed; then the same with other tools ÷ ours, in the same run."},
	{what: "one rule", key: "xdpfault Rule/inject+heal ns/op", scale: nsToUs, unit: "µs", high: 100},
	{what: "split of 100 nodes", key: "xdpfault Split/100/xdpfault ns/op", scale: nsToMs, unit: "ms", high: 1},
	{what: "split of 1,000 nodes", key: "xdpfault Split/1000/xdpfault ns/op", scale: nsToMs, unit: "ms", high: 10},
	{what: "isolation: from the call to the last packet, worst of 21", key: "xdpfault Cut/isolation last-packet-max-µs", unit: "µs", high: 1000},
	{what: "split of 100: from the call to the last packet, worst of 21", key: "xdpfault Cut/split_of_100 last-packet-max-µs", unit: "µs", high: 1000},
	{what: "3 nodes, a program attached to each node's port", key: "xdpfault Split/3/XDP_attach_per_node ns/op", per: "xdpfault Split/3/xdpfault ns/op"},
	{what: "100 nodes, a program attached to each node's port", key: "xdpfault Split/100/XDP_attach_per_node ns/op", per: "xdpfault Split/100/xdpfault ns/op"},
	{what: "1,000 nodes, a program attached to each node's port", key: "xdpfault Split/1000/XDP_attach_per_node ns/op", per: "xdpfault Split/1000/xdpfault ns/op"},
	{what: "3 nodes, iptables run once for each node", key: "xdpfault Split/3/iptables_exec_per_node ns/op", per: "xdpfault Split/3/xdpfault ns/op"},
	{what: "100 nodes, iptables run once for each node", key: "xdpfault Split/100/iptables_exec_per_node ns/op", per: "xdpfault Split/100/xdpfault ns/op"},
	{what: "3 nodes, nft run once for each node", key: "xdpfault Split/3/nft_exec_per_node ns/op", per: "xdpfault Split/3/xdpfault ns/op"},
	{what: "100 nodes, nft run once for each node", key: "xdpfault Split/100/nft_exec_per_node ns/op", per: "xdpfault Split/100/xdpfault ns/op"},

	{what: "A machine's harm: from the step's call to when a program inside feels it"},
	{what: "killed", key: "world Effect/kill effect-ms", unit: "ms", high: 10},
	{what: "stopped (SIGTERM)", key: "world Effect/stop effect-ms", unit: "ms", high: 50},
	{what: "started again", key: "world Effect/start_again effect-ms", unit: "ms", high: 200},
	{what: "restarted", key: "world Effect/restart effect-ms", unit: "ms", high: 300},
	{what: "paused", key: "world Effect/pause effect-ms", unit: "ms", high: 5},
	{what: "resumed", key: "world Effect/resume effect-ms", unit: "ms", high: 5},
	{what: "memory limited below what is used: killed", key: "world Effect/memory_limit effect-ms", unit: "ms", high: 500},
	{what: "out of memory: killed by the kernel", key: "world Effect/out_of_memory effect-ms", unit: "ms", high: 500},
	{what: "CPU limited to 10%: held up", key: "world Effect/CPU_limit effect-ms", unit: "ms", high: 100},
	{what: "CPU stressed: held up", key: "world Effect/CPU_stress effect-ms", unit: "ms", high: 200},
	{what: "power lost: killed", key: "world Effect/power_loss effect-ms", unit: "ms", high: 10},
	{what: "power lost: what was not fsynced is gone", key: "world Effect/power_loss step-ms", unit: "ms", high: 200},
	{what: "disk full", key: "world Effect/disk_full effect-ms", unit: "ms", high: 10},
	{what: "disk fails", key: "world Effect/disk_fails effect-ms", unit: "ms", high: 10},
	{what: "reads fail", key: "world Effect/reads_fail effect-ms", unit: "ms", high: 10},
	{what: "writes fail", key: "world Effect/writes_fail effect-ms", unit: "ms", high: 10},
	{what: "fsync fails", key: "world Effect/fsync_fails effect-ms", unit: "ms", high: 10},
	{what: "disk read-only", key: "world Effect/disk_read-only effect-ms", unit: "ms", high: 10},
	{what: "disk slow", key: "world Effect/disk_slow effect-ms", unit: "ms", high: 10},
	{what: "fsync slow", key: "world Effect/fsync_slow effect-ms", unit: "ms", high: 10},
	{what: "reads corrupted", key: "world Effect/reads_corrupted effect-ms", unit: "ms", high: 10},
	{what: "disk recovers", key: "world Effect/disk_recovers effect-ms", unit: "ms", high: 10},
	{what: "clock jumps", key: "world Effect/clock_jumps effect-ms", unit: "ms", high: 10},
	{what: "clock jumps: proved inside and outside", key: "world Effect/clock_jumps step-ms", unit: "ms", high: 100},
	{what: "clock jumps once more", key: "world Effect/clock_jumps_again effect-ms", unit: "ms", high: 10},
	{what: "clock runs 100% fast: 1 ms gained", key: "world Effect/clock_drifts effect-ms", unit: "ms", high: 10},
	{what: "clock right again", key: "world Effect/clock_right_again effect-ms", unit: "ms", high: 10},

	{what: "A disk that can fail, without a fault ÷ a plain folder"},
	{what: "fsyncs a second in the plain folder, 512 bytes each", key: "containers/diskfault WriteFdatasync/512 syncs/s", unit: "fsync/s"},
	{what: "fsyncs a second, 512 bytes each", key: "containers/diskfault WriteFdatasync/512 undo/plain", low: 0.3},
	{what: "fsyncs a second, 8 KiB each", key: "containers/diskfault WriteFdatasync/8192 undo/plain", low: 0.3},
	{what: "MB/s in the plain folder, written in pieces of 4 KiB", key: "containers/diskfault BufferedWrites/4096 MB/s", unit: "MB/s"},
	{what: "MB/s, written in pieces of 128 bytes", key: "containers/diskfault BufferedWrites/128 undo/plain"},
	{what: "MB/s, in pieces of 4 KiB", key: "containers/diskfault BufferedWrites/4096 undo/plain"},
	{what: "MB/s, in pieces of 1 MiB", key: "containers/diskfault BufferedWrites/1048576 undo/plain", low: 0.2},
	{what: "MB/s, what is durable overwritten", key: "containers/diskfault Overwrite undo/plain"},
	{what: "MB/s, read from the disk", key: "containers/diskfault ReadCold undo/plain", low: 0.4},
	{what: "files a second, made, renamed and removed", key: "containers/diskfault CreateRenameUnlink undo/plain"},

	{what: "A clock that is wrong ÷ one that is right"},
	{what: "a call that reads it: the right one", key: "containers/clock Call real-before-ns", unit: "ns"},
	{what: "a call that reads it", key: "containers/clock Call real-ratio", high: 1.5},
	{what: "a call that reads the monotonic clock", key: "containers/clock Call monotonic-ratio", high: 1.2},
	{what: "a program started, to its end", key: "containers/clock Start wrong-µs", per: "containers/clock Start right-µs", high: 3},

	{what: "A link without a fault ÷ a bare veth pair", about: "Between two nodes, median of interleaved rounds' own ratios. \"Elsewhere\": other nodes' links lose packets, these\ntwo are cut from a third. \"Same sender\": the sender loses packets to another node."},
	{what: "bare veth pair: round trip", key: "xdpfault Path/RTT-µs/bare_veth RTT-µs", unit: "µs"},
	{what: "bare veth pair: small UDP packets", key: "xdpfault Path/UDP-kpps/bare_veth UDP-kpps", unit: "kpps"},
	{what: "bare veth pair: TCP, one stream", key: "xdpfault Path/TCP1-Gbit/s/bare_veth TCP1-Gbit/s", unit: "Gbit/s"},
	{what: "bare veth pair: TCP, four streams", key: "xdpfault Path/TCP4-Gbit/s/bare_veth TCP4-Gbit/s", unit: "Gbit/s"},
	{what: "round trip", key: "xdpfault Path/RTT-µs/tc,_no_fault of-bare", high: 1.11},
	{what: "small UDP packets a second", key: "xdpfault Path/UDP-kpps/tc,_no_fault of-bare", low: 0.9},
	{what: "TCP, one stream", key: "xdpfault Path/TCP1-Gbit/s/tc,_no_fault of-bare", low: 0.9},
	{what: "TCP, four streams", key: "xdpfault Path/TCP4-Gbit/s/tc,_no_fault of-bare", low: 0.9},
	{what: "round trip, harm elsewhere", key: "xdpfault Path/RTT-µs/tc,_harm_elsewhere of-bare", high: 1.11},
	{what: "small UDP packets a second, harm elsewhere", key: "xdpfault Path/UDP-kpps/tc,_harm_elsewhere of-bare", low: 0.9},
	{what: "TCP, one stream, harm elsewhere", key: "xdpfault Path/TCP1-Gbit/s/tc,_harm_elsewhere of-bare", low: 0.9},
	{what: "TCP, four streams, harm elsewhere", key: "xdpfault Path/TCP4-Gbit/s/tc,_harm_elsewhere of-bare", low: 0.9},
	{what: "round trip, loss elsewhere, same sender", key: "xdpfault Path/RTT-µs/tc,_loss_elsewhere,_same_sender of-bare"},
	{what: "small UDP packets a second, loss elsewhere, same sender", key: "xdpfault Path/UDP-kpps/tc,_loss_elsewhere,_same_sender of-bare"},
	{what: "TCP, one stream, loss elsewhere, same sender", key: "xdpfault Path/TCP1-Gbit/s/tc,_loss_elsewhere,_same_sender of-bare"},
	{what: "TCP, four streams, loss elsewhere, same sender", key: "xdpfault Path/TCP4-Gbit/s/tc,_loss_elsewhere,_same_sender of-bare"},

	{what: "Accuracy: loss and bandwidth", about: "What 100,000 packets lost against what was asked, in standard errors; what full packets at once got ÷ what was asked."},
	{what: "loss of 0.1% of 100,000 packets: off by", key: "xdpfault Accuracy/loss/0.1% sigma", unit: "σ", low: -3, high: 3},
	{what: "loss of 1%", key: "xdpfault Accuracy/loss/1% sigma", unit: "σ", low: -3, high: 3},
	{what: "loss of 10%", key: "xdpfault Accuracy/loss/10% sigma", unit: "σ", low: -3, high: 3},
	{what: "loss of 50%", key: "xdpfault Accuracy/loss/50% sigma", unit: "σ", low: -3, high: 3},
	{what: "1 Mbit/s: got ÷ asked", key: "xdpfault Accuracy/rate/1_Mbit of-asked", low: 0.95, high: 1.05},
	{what: "10 Mbit/s", key: "xdpfault Accuracy/rate/10_Mbit of-asked", low: 0.95, high: 1.05},
	{what: "100 Mbit/s", key: "xdpfault Accuracy/rate/100_Mbit of-asked", low: 0.95, high: 1.05},

	{what: "Accuracy: delay", about: "How late packets are that are sent one at a time: when the receiver's kernel has them; as the receiving program sees\nit; and, for comparison, how late it sees one that nothing delayed when it has waited for it as long."},
	{what: "1 ms: median", key: "xdpfault Accuracy/delay/1ms late-median-ms", unit: "ms", high: 0.2},
	{what: "1 ms: p99", key: "xdpfault Accuracy/delay/1ms late-p99-ms", unit: "ms", high: 1},
	{what: "1 ms: median, first packet after 50 ms of silence", key: "xdpfault Accuracy/delay/1ms first-median-ms", unit: "ms", high: 0.2},
	{what: "1 ms: median, as the program sees it", key: "xdpfault Accuracy/delay/1ms seen-median-ms", unit: "ms"},
	{what: "1 ms: p99, as the program sees it", key: "xdpfault Accuracy/delay/1ms seen-p99-ms", unit: "ms", high: 1},
	{what: "no delay, after a wait of 1 ms: median as seen", key: "xdpfault Accuracy/delay/1ms undelayed-median-ms", unit: "ms"},
	{what: "no delay, after a wait of 1 ms: p99 as seen", key: "xdpfault Accuracy/delay/1ms undelayed-p99-ms", unit: "ms"},
	{what: "10 ms: median", key: "xdpfault Accuracy/delay/10ms late-median-ms", unit: "ms", high: 0.2},
	{what: "10 ms: p99", key: "xdpfault Accuracy/delay/10ms late-p99-ms", unit: "ms", high: 1},
	{what: "10 ms: median, first packet after 50 ms of silence", key: "xdpfault Accuracy/delay/10ms first-median-ms", unit: "ms", high: 0.2},
	{what: "10 ms: median, as the program sees it", key: "xdpfault Accuracy/delay/10ms seen-median-ms", unit: "ms"},
	{what: "10 ms: p99, as the program sees it", key: "xdpfault Accuracy/delay/10ms seen-p99-ms", unit: "ms", high: 1},
	{what: "no delay, after a wait of 10 ms: median as seen", key: "xdpfault Accuracy/delay/10ms undelayed-median-ms", unit: "ms"},
	{what: "no delay, after a wait of 10 ms: p99 as seen", key: "xdpfault Accuracy/delay/10ms undelayed-p99-ms", unit: "ms"},
	{what: "100 ms: median", key: "xdpfault Accuracy/delay/100ms late-median-ms", unit: "ms", high: 0.2},
	{what: "100 ms: p99", key: "xdpfault Accuracy/delay/100ms late-p99-ms", unit: "ms", high: 1},
	{what: "100 ms: median, first packet after 50 ms of silence", key: "xdpfault Accuracy/delay/100ms first-median-ms", unit: "ms", high: 0.2},
	{what: "100 ms: median, as the program sees it", key: "xdpfault Accuracy/delay/100ms seen-median-ms", unit: "ms"},
	{what: "100 ms: p99, as the program sees it", key: "xdpfault Accuracy/delay/100ms seen-p99-ms", unit: "ms", high: 1},
	{what: "no delay, after a wait of 100 ms: median as seen", key: "xdpfault Accuracy/delay/100ms undelayed-median-ms", unit: "ms"},
	{what: "no delay, after a wait of 100 ms: p99 as seen", key: "xdpfault Accuracy/delay/100ms undelayed-p99-ms", unit: "ms"},
	{what: "TCP through 10 ms each way", key: "xdpfault Accuracy/TCP_through_10_ms Gbit/s", unit: "Gbit/s", low: 1},

	{what: "Seeing traffic"},
	{what: "5,000 requests/s: with observation ÷ without", key: "observe Throughput/5000_per_second on/off", low: 0.9},
	{what: "its events lost", key: "observe Throughput/5000_per_second events-lost", high: 0.5},
	{what: "as many as two processors can: with ÷ without", key: "observe Throughput/saturated on/off"},
	{what: "with observation", key: "observe Throughput/saturated on/s", unit: "/s"},
	{what: "its events lost", key: "observe Throughput/saturated events-lost", high: 0.5},
	{what: "answers of 1 MB: with ÷ without", key: "observe Throughput/1_MB_answers on/off"},
	{what: "its events lost", key: "observe Throughput/1_MB_answers events-lost", high: 0.5},
	{what: "latency seen against the client's own: median", key: "observe LatencyError µs-client-median", unit: "µs", high: 250},
	{what: "p99", key: "observe LatencyError µs-client-p99", unit: "µs", high: 1000},
	{what: "latency seen against the server's own: median", key: "observe LatencyError µs-server-median", unit: "µs", high: 250},
	{what: "p99", key: "observe LatencyError µs-server-p99", unit: "µs", high: 1000},
	{what: "PxL script of latencies on 1,000,000 rows", key: "observe/pxl MillionRows/own ns/op", scale: nsToMs, unit: "ms", high: 2000},
	{what: "chaostoolkit-pixie's own script", key: "observe/pxl MillionRows/documentation's ns/op", scale: nsToMs, unit: "ms", high: 2000},

	{what: "Load"},
	{what: "1,000 requests/s: sent late by, median", key: "world/load Schedule/1000 µs-late-median", unit: "µs", high: 250},
	{what: "p99", key: "world/load Schedule/1000 µs-late-p99", unit: "µs", high: 1000},
	{what: "10,000 requests/s: median", key: "world/load Schedule/10000 µs-late-median", unit: "µs", high: 250},
	{what: "p99", key: "world/load Schedule/10000 µs-late-p99", unit: "µs", high: 1000},
}
