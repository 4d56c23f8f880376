package selector

import (
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Selector{
		"node2":                      {Kind: Named, Names: []string{"node2"}},
		"a":                          {Kind: Named, Names: []string{"a"}},
		"node1 and node3":            {Kind: Named, Names: []string{"node1", "node3"}},
		"node1, node2 and node3":     {Kind: Named, Names: []string{"node1", "node2", "node3"}},
		"node1, node2, and node3":    {Kind: Named, Names: []string{"node1", "node2", "node3"}},
		"node1,node2":                {Kind: Named, Names: []string{"node1", "node2"}},
		"all nodes":                  {Kind: All},
		"every node":                 {Kind: All},
		"each node":                  {Kind: All},
		"the other nodes":            {Kind: Others},
		"the leader":                 {Kind: Leader},
		"the leader of redis":        {Kind: Leader, Of: "redis"},
		"the followers":              {Kind: Followers},
		"a follower":                 {Kind: AFollower},
		"a random node":              {Kind: Random, N: 1},
		"2 random nodes":             {Kind: Random, N: 2},
		"a minority":                 {Kind: Minority},
		"a majority":                 {Kind: Majority},
		"a minority with the leader": {Kind: Minority, WithLeader: true},

		"a minority with the leader of etcd":     {Kind: Minority, WithLeader: true, Of: "etcd"},
		"a majority without the leader of redis": {Kind: Majority, WithoutLeader: true, Of: "redis"},

		"a majority without the leader": {Kind: Majority, WithoutLeader: true},
		"zone az1":                      {Kind: Zone, Zone: "az1"},
		"the isolated node":             {Kind: Isolated},
		"the isolated nodes":            {Kind: Isolated},
		"the killed node":               {Kind: Killed},
		"the paused nodes":              {Kind: Paused},
		"the old leader":                {Kind: OldLeader},
		"the clients":                   {Kind: Clients},
		"redis on node1":                {Kind: Named, Names: []string{"node1"}, Service: "redis"},
		"redis on node1 and node2":      {Kind: Named, Names: []string{"node1", "node2"}, Service: "redis"},
		"redis on the leader":           {Kind: Leader, Service: "redis"},
		"redis on the leader of redis":  {Kind: Leader, Of: "redis", Service: "redis"},
		"  node1   and  node2 ":         {Kind: Named, Names: []string{"node1", "node2"}},
		"the leader and node2": {Kind: List, Parts: []Selector{
			{Kind: Leader, Text: "the leader"}, {Kind: Named, Names: []string{"node2"}, Text: "node2"},
		}},
	} {
		got, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got.Text = ""
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", text, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "a name is missing",
		"node1 and":            "neither a name",
		"node1, ":              "a name is missing",
		"each":                 "a word of the language",
		"leader":               "a word of the language",
		"everything":           "a word of the language",
		"node1 and all":        "a word of the language",
		"zone zone":            "a word of the language",
		"1node":                "neither a name",
		"the leadr":            "neither a name",
		"0 random nodes":       "begins at 1",
		"node1 and node1":      "named twice",
		"redis on the clients": "run no service",
		"a b on node1":         "no service before",
		"redis on a on node1":  "neither a name",
		"the leader of all":    "a word of the language",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", text, err, want)
		}
	}
}

func TestEach(t *testing.T) {
	for text, want := range map[string][]string{
		"node1":                       {"node1"},
		"node1, node2 and node3":      {"node1", "node2", "node3"},
		"all nodes":                   {"all nodes"},
		"the leader and the clients":  {"the leader", "the clients"},
		"redis on node1 and node2":    {"redis on node1", "redis on node2"},
		"a minority and the leader":   {"a minority", "the leader"},
		"redis on the leader and x.y": {"redis on the leader", "redis on x.y"},
	} {
		s, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, one := range s.Each() {
			got = append(got, one.String())
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for phrase := range phrases {
		f.Add(phrase)
	}
	for _, text := range []string{"node1, node2 and node3", "12 random nodes", "redis on zone az1", "the leader of db and a", "x on y on z", ",", " and "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(first.String())
		if err != nil {
			t.Fatalf("%q became %q: %v", text, first, err)
		}
		if first.String() != again.String() || first.Kind != again.Kind || first.Service != again.Service {
			t.Fatalf("%q: %+v became %+v", text, first, again)
		}
	})
}
