// Package observe sees the traffic of nodes without touching their programs: HTTP requests with their latency, DNS
// questions, bytes per connection. It owns two BPF programs (clsact ingress and egress) on the interface of each node
// that it is attached to, and a ring buffer; nothing is pinned, so all of it ends with the process.
//
//	node1                                              node2
//	┌────────────────────────────┐                    ┌────────────────────────────┐
//	│ program                    │                    │                    program │
//	│    │ eth0 egress: before   │  harm (a switch)   │ eth0 ingress: after   ▲    │
//	│    └──────●────────────────┼──────────►─────────┼───────────●───────────┘    │
//	└───────────┼────────────────┘                    └───────────┼────────────────┘
//	            └──────────────► ring buffer ◄────────────────────┘
//	                                  │ TCP put together again (stream.go)
//	                                  │ HTTP/1.x (parser.go), HTTP/2 and gRPC (http2.go) read
//	                                  ▼
//	                  Tables: http_events, conn_stats, dns_events
//
// Each request is seen twice: at the client (trace_role 1) and at the server (trace_role 2). Under packet loss only the
// client's row shows the time that retransmission took. The rows are those of Pixie's tables (docs.px.dev, "Data
// Tables"), so that scripts written for Pixie run on them.
//
// What could not be seen is counted, never hidden: see Loss. Blind by nature are TLS, and loopback inside a node. HTTP/2 is
// read on connections that were seen from their first byte; a stream that goes on, such as a watch, is a row when it ends.
// Headers that carry secrets are masked before anything is kept. Needs kernel 5.8 (BPF ring buffer), CAP_BPF and
// CAP_NET_ADMIN.
//
//	o, err := observe.New(observe.Config{})
//	err = o.Attach(observe.Target{Node: "node1", NS: ns, IfIndex: 2, Services: []observe.Service{{Name: "consumer", Ports: []int{8080}}}})
//	…
//	err = o.Sync(ctx)                 // all that has happened is in the tables now
//	rows := o.Tables().HTTP()
package observe
