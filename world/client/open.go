package client

import (
	"fmt"

	"brine.test/brine/world/catalogue"
)

// Open makes the client of one service on one node, by the client of its service file. It connects when it is first
// used. Every client it returns has all interfaces of this package; Can tells which of them will work.
func Open(i *catalogue.Instance, t Target) (Client, error) {
	c := i.Client
	if c == nil {
		return nil, fmt.Errorf("%s: the service %s has no client\nhint: say under client: in %s how to write and read", t.Name, i.Service.Name, i.Service.File)
	}
	if t.Port == nil {
		t.Port = i.Data.Port
	}
	switch c.Builtin {
	case "":
		return newDescribed(c, i.Data, t), nil
	case "etcd":
		return newEtcd(t)
	case "redis":
		return newRedis(i.Data, t)
	case "redis-sentinel":
		return newSentinel(i.Data, t)
	case "postgresql":
		return newPostgres(i.Data, t)
	case "nats":
		return newNats(i.Data, t)
	}
	return nil, fmt.Errorf("%s: no built-in client %s", t.Name, c.Builtin)
}
