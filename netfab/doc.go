// Package netfab makes the network of one scenario out of anonymous network
// namespaces: a switch, the test's own vantage point, the services (name
// server, way out), and a namespace for each node. It owns them, their links,
// addresses and routes, the resolution of names, dialling in, and captures.
// What harms packets is a Switch of somebody else's.
//
//	  clients         services          node1           node2      namespaces
//	┌──────────┐    ┌───────────┐    ┌──────────┐    ┌──────────┐
//	│ the      │    │ DNS :53   │    │ container│    │ container│
//	│ test's   │    │ brineout ─┼─►  │  …       │    │  …       │
//	│ sockets  │    │ (if let)  │out │          │    │          │
//	│ eth0     │    │ eth0      │    │ eth0     │    │ eth0     │
//	└──┬───────┘    └──┬────────┘    └──┬───────┘    └──┬───────┘
//	   │ veth          │                │               │
//	┌──┴───────────────┴────────────────┴───────────────┴───────┐
//	│ brine0         brine1           brine2          brine3    │ switch
//	│            Switch: tc programs, or kernel forwarding      │
//	└───────────────────────────────────────────────────────────┘
//	   host's own namespace: nothing
//
// The host's namespace holds nothing, so no firewall, bridge filter, route or
// connection tracking of the host plays in, and two networks may use the same
// addresses. Namespaces are held by descriptors: when the process dies, kill
// -9 included, the kernel takes all of it apart, except the namespaces in which
// containers still run; those lose their eth0.
//
// There is no bridge and no ARP: a node sends everything to one gateway that
// exists only as a permanent neighbour entry (see Port). Broadcast, multicast
// and addresses that move between nodes therefore do not work.
//
// One network, used from a test:
//
//	n, err := netfab.New(ctx, netfab.Config{Name: "k3x9a2pq-1", Nodes: []string{"node1", "node2"}})
//	…
//	defer n.Close()
//	added, err := n.AddNodes(ctx, "node3")
//	…
//	node1, _ := n.Node("node1")
//	spec.NetNS, spec.ResolvConf, spec.Hosts = node1.NS().Path(), node1.ResolvConf(), node1.Hosts()
//	…
//	resp, err := n.Clients().HTTP().R().SetContext(ctx).Get("http://node2:8080/")
//	harm := node1.FailNames(netfab.NamesServFail)
//	…
//	err = harm.Heal()
//
// Importing the package keeps the main goroutine on the process's first
// thread. It needs root (CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_RAW for
// captures) and Linux 5.10 with IPv6.
package netfab
