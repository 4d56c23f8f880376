// Package catalogue reads service files: what a service's image is, how each node of it is started, when it is ready,
// and how a client uses it.
//
//	the service "kv":  (a doc string)  ──┐
//	features/etcd/services/*.yaml      ──┤ Find("kv")           Render(service, data)
//	features/services/*.yaml           ──┼──────────► *Service ─────────────────────► *Instance  (one node's container)
//	services/ up to the go.mod         ──┤              │
//	built in (builtin/*.yaml)          ──┘              └─ Client, Ready: done by world/client and world/probe
//
// A name is looked up from the top of that list to the bottom. A file is refused whole, with file, line, column, the
// field, and what was expected, before anything starts: an unknown key, a wrong type, and also a template that fails
// when it is tried with the data of a made-up cluster of five nodes.
//
//	c := catalogue.New("features/kv/isolation.feature")
//	service, err := c.Find("etcd")
//	instance, err := catalogue.Render(service, catalogue.Data{Node: n, Nodes: nodes, Peers: peers, Cluster: "default"})
//
// The package reads files and owns nothing; a Catalogue may be used by several goroutines at once.
package catalogue
