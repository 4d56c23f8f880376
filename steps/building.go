package steps

import (
	"context"

	"brine.test/brine/world"
)

// building states the sentences that make clusters, nodes and services.
func building(sc Registrar) {
	sc.Step(`^an? (\d+)-node cluster running ([^":]+?)(?: named ("(?:[^"]|"")*"))?$`, aClusterRunning)
	sc.Step(`^a cluster:$`, aClusterOfTable)
	sc.Step(`^a cluster running:$`, aClusterOfYAML)
	sc.Step(`^the cluster in "((?:[^"]|"")*)"$`, theClusterIn)
	sc.Step(`^a node "((?:[^"]|"")*)" running the image "((?:[^"]|"")*)"$`, aNodeRunningImage)
	sc.Step(`^([^"]+) joins?, running ([^":]+)$`, join)
	sc.Step(`^zone ([^" ]+) has (all nodes|every node|each node|the other nodes?|[^" ,]+(?:(?:,|,? and) [^" ,]+)*)$`, zoneHas)
	sc.Step(`^([^"]+) (?:is|are) also known as "((?:[^"]|"")*)"$`, alsoKnownAs)
	sc.Step(`^the service "((?:[^"]|"")*)":$`, theService)
	sc.Step(`^internet access is allowed$`, internetAllowed)
}

// aClusterRunning builds a cluster of N nodes, node1 … nodeN, that all run the same services of the catalogue, and waits
// until they are ready. A number after a service is its version. A named cluster's nodes carry its name: db1 … dbN.
//
//	a 3-node cluster running etcd
//	a 3-node cluster running etcd 3.5.21
//	a 5-node cluster running redis and redis-sentinel
//	a 1-node cluster running etcd named "db"
func aClusterRunning(ctx context.Context, size, services, name string) error {
	s := read(ctx)
	spec := world.ClusterSpec{Size: s.number(size), Services: s.services(services)}
	if name != "" {
		spec.Name = s.name(s.quoted(name))
	}
	return s.do(func(w *world.World) error { return w.BuildCluster(ctx, spec) })
}

// aClusterOfTable builds a cluster of any topology, one node a row: node, zone, services; also image, command, env,
// memory, cpu.
//
//	a cluster:
func aClusterOfTable(ctx context.Context) error {
	s := read(ctx)
	nodes := s.nodeTable(s.arg.Table)
	return s.do(func(w *world.World) error { return w.BuildCluster(ctx, world.ClusterSpec{Nodes: nodes}) })
}

// aClusterOfYAML builds a cluster of services that are defined in place, in the form of a catalogue file.
//
//	a cluster running:
func aClusterOfYAML(ctx context.Context) error {
	s := read(ctx)
	yaml := s.doc()
	return s.do(func(w *world.World) error { return w.BuildCluster(ctx, world.ClusterSpec{YAML: yaml}) })
}

// theClusterIn builds the cluster of a Compose file: each service is a node of its name, started in the order of
// depends_on. Honoured are image (no build), command, entrypoint, environment, env_file, volumes, healthcheck,
// depends_on, ports, mem_limit, cpus, stop_signal, stop_grace_period, container_name and hostname; anything else that
// would change how a service runs is named in an error.
//
//	the cluster in "compose.yaml"
func theClusterIn(ctx context.Context, path string) error {
	s := read(ctx)
	path = s.data(path)
	return s.do(func(w *world.World) error { return w.BuildCompose(ctx, path) })
}

// aNodeRunningImage adds one node that runs an image.
//
//	a node "client" running the image "docker.io/library/nginx:1.27"
func aNodeRunningImage(ctx context.Context, name, image string) error {
	s := read(ctx)
	spec := world.NodeSpec{Name: s.name(s.data(name)), Image: s.data(image)}
	return s.do(func(w *world.World) error { return w.AddNode(ctx, spec) })
}

// join adds a node to a running cluster.
//
//	node4 joins, running etcd
//	node4 and node5 join, running etcd 3.5.21
func join(ctx context.Context, who, services string) error {
	s := read(ctx)
	names, refs := s.newNames(who), s.services(services)
	return s.do(func(w *world.World) error {
		for _, name := range names {
			if err := w.Join(ctx, name, refs); err != nil {
				return err
			}
		}
		return nil
	})
}

// zoneHas puts nodes into an availability zone.
//
//	zone az1 has node1 and node2
func zoneHas(ctx context.Context, zone, who string) error {
	s := read(ctx)
	name, nodes := s.name(zone), s.who(who)
	return s.do(func(w *world.World) error { return w.SetZone(ctx, name, nodes) })
}

// alsoKnownAs gives a node one more name, which the cluster and the clients resolve.
//
//	node1 is also known as "mydomain.com"
//	node1 and node2 are also known as "mydomain.com"
func alsoKnownAs(ctx context.Context, who, name string) error {
	s := read(ctx)
	nodes, alias := s.who(who), s.data(name)
	return s.do(func(w *world.World) error { return w.Alias(ctx, nodes, alias) })
}

// theService adds a service to the catalogue for this scenario; the doc string is a catalogue file.
//
//	the service "kv":
func theService(ctx context.Context, name string) error {
	s := read(ctx)
	service, yaml := s.name(s.data(name)), s.doc()
	return s.do(func(w *world.World) error { return w.DefineService(ctx, service, yaml) })
}

// internetAllowed lets the cluster reach beyond itself: TCP, UDP and DNS through a relay, no ICMP.
//
//	internet access is allowed
func internetAllowed(ctx context.Context) error {
	return read(ctx).do(func(w *world.World) error { return w.AllowInternet(ctx) })
}
