package steps

import (
	"reflect"
	"testing"

	"brine.test/brine/world"
)

func TestParseServices(t *testing.T) {
	for text, want := range map[string][]world.ServiceRef{
		"etcd":                                {{Name: "etcd"}},
		"etcd 3.5.21":                         {{Name: "etcd", Version: "3.5.21"}},
		"redis and redis-sentinel":            {{Name: "redis"}, {Name: "redis-sentinel"}},
		"redis 7.2, redis-sentinel, and etcd": {{Name: "redis", Version: "7.2"}, {Name: "redis-sentinel"}, {Name: "etcd"}},
	} {
		got, err := parseServices(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                   "expected a service",
		"etcd and":           "no version",
		"etcd 3.5.21 please": "at most a version",
		"every":              "a word of the language",
	} {
		refused(t, text, want, second(parseServices(text)))
	}
}

func TestParseNodeTable(t *testing.T) {
	got, err := parseNodeTable([][]string{
		{"node", "zone", "services", "image", "command", "env", "memory", "cpu"},
		{"a", "az1", "redis and sentinel 2", "", "", "", "64 MiB", "0.5"},
		{"b", "", "", "oci:img", "/run me", "A=1, B=x=y", "", ""},
	})
	want := []world.NodeSpec{
		{Name: "a", Zone: "az1", Services: []world.ServiceRef{{Name: "redis"}, {Name: "sentinel", Version: "2"}}, Memory: 64 << 20, CPU: 0.5},
		{Name: "b", Image: "oci:img", Command: "/run me", Env: map[string]string{"A": "1", "B": "x=y"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for want, table := range map[string][][]string{
		"a table of nodes is missing": {{"node"}},
		"no such column":              {{"node", "disk"}, {"a", "1"}},
		`no column "node"`:            {{"zone"}, {"a"}},
		"a name is missing":           {{"node"}, {""}},
		"stands above":                {{"node"}, {"a"}, {"a"}},
		"row 1, column memory":        {{"node", "memory"}, {"a", "64"}},
		"number of CPUs above zero":   {{"node", "cpu"}, {"a", "none"}},
		"expected NAME=value":         {{"node", "env"}, {"a", "A"}},
	} {
		refused(t, want, want, second(parseNodeTable(table)))
	}
}
