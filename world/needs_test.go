package world

import (
	"slices"
	"testing"

	"brine.test/brine/world/catalogue"
)

func TestWhatIsNeededComesAlong(t *testing.T) {
	refs := func(names ...string) []ServiceRef {
		var all []ServiceRef
		for _, n := range names {
			all = append(all, ServiceRef{Name: n})
		}
		return all
	}
	w := &World{lookup: catalogue.New("none/x.feature")}
	for _, c := range []struct {
		name  string
		specs []NodeSpec
		want  []string // of each node, its services
	}{
		{"alone", []NodeSpec{{Services: refs("redis-sentinel")}}, []string{"redis-sentinel redis+"}},
		{"asked for", []NodeSpec{{Services: refs("redis", "redis-sentinel")}}, []string{"redis redis-sentinel"}},
		{"elsewhere", []NodeSpec{{Services: refs("redis")}, {Services: refs("redis-sentinel")}}, []string{"redis", "redis-sentinel"}},
		{"nothing needed", []NodeSpec{{Services: refs("etcd")}}, []string{"etcd"}},
	} {
		got, err := w.bring(&Cluster{}, c.specs)
		if err != nil {
			t.Fatal(err)
		}
		for i, spec := range got {
			text := ""
			for _, r := range spec.Services {
				text += " " + r.Name
				if r.brought {
					text += "+"
				}
			}
			if text != " "+c.want[i] {
				t.Errorf("%s: node %d runs%s, want %s", c.name, i+1, text, c.want[i])
			}
		}
	}
}

func TestMeantService(t *testing.T) {
	redis, sentinel, etcd := &catalogue.Service{Name: "redis"}, &catalogue.Service{Name: "redis-sentinel", Needs: []string{"redis"}}, &catalogue.Service{Name: "etcd"}
	service := func(def *catalogue.Service, brought bool) *Service {
		return &Service{Name: def.Name, def: def, brought: brought}
	}
	for _, c := range []struct {
		all  []*Service
		want []string
	}{
		{[]*Service{service(sentinel, false), service(redis, true)}, []string{"redis-sentinel"}},
		{[]*Service{service(sentinel, false), service(redis, false)}, []string{"redis"}},
		{[]*Service{service(redis, false), service(etcd, false)}, []string{"redis", "etcd"}},
		{[]*Service{service(redis, true)}, []string{"redis"}},
	} {
		var got []string
		for _, s := range meant(c.all) {
			got = append(got, s.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("meant %v, want %v", got, c.want)
		}
	}
}
