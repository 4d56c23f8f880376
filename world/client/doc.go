// Package client uses a service as its users do: reads and writes through one node, asks who leads, changes the
// membership. It knows built-in clients (etcd), and does what a service file describes over HTTP or with a program.
//
//	sentence, workload ──Op──► Client ──Target.Dial──► the clients' network ──► one node
//	                              │     └Target.Exec─► a program in the node's container
//	                   Result ◄───┘
//	      ok       acknowledged
//	      failed   certainly not done
//	      unknown  done or not: no answer, or one that leaves it open. A time-out is unknown, never failed.
//
// Each client keeps one connection to its node. One that fell silent is dropped, so that what a node does after a harm
// has healed is not hidden by the back-off of the client's own TCP.
//
//	c, err := client.Open(instance, client.Target{Name: "node1", IP: "10.77.0.2", Port: instance.Data.Port, Dial: clients.DialContext})
//	defer c.Close()
//	r := client.Try(ctx, c, client.Op{Kind: client.Write, Key: "k", Value: "v1"}, 5*time.Second)
//	if !r.Acknowledged {
//		return fmt.Errorf("node1: write \"k\": %s", r)
//	}
//
// The package owns its connections and nothing else.
package client
