// Package probe tells whether a service is ready, by the readiness probe of its service file.
//
//	ready: {http: …} ──► GET http://IP:PORT/path ──┐
//	       {tcp: …}  ──► connect ──────────────────┤   look, 20 ms, look, 26 ms, … 100 ms, look …
//	       {exec: …} ──► program, exit code 0 ─────┼─► until it holds, `within` is over,
//	       {log: …}  ──► a line of the output ─────┘   the process has exited, or ctx ends
//
//	err := probe.Wait(ctx, instance.Ready, probe.Target{Name: "node2", IP: ip, Dial: node.DialContext, Exited: exited})
//	// not ready within 30s, 312 looks; last probe answer: GET http://10.77.0.3:2379/health: status 503: …
//
// HTTP probes carry the User-Agent "brine-probe", by which traffic that is seen leaves them out. An answer is shown by
// its status and the beginning of its body; headers that were sent, which may hold a secret, are not shown.
//
// The package owns nothing that outlives a call.
package probe
