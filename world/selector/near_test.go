package selector

import (
	"strings"
	"testing"
)

func TestNear(t *testing.T) {
	for words, want := range map[string]string{
		"the nodes in zone az1": "zone az1",
		"all nodes of zone a":   "zone a",
		"all other nodes":       "the other nodes",
		"the others":            "the other nodes",
		"the leadr":             "the leader",
		"the follower":          "the followers",
		"a random follower":     "a follower",
		"any node":              "a random node",
		"the nodes":             "all nodes",
		"the stopped nodes":     "the killed nodes",
		"the pausd nodes":       "the paused nodes",
		"node1 or node2":        "node1 and node2",
		"node1 & node2":         "node1 and node2",
		"the node1":             "node1",
		"node 1":                "node1",
		"All Nodes":             "all nodes",
		"leader":                "the leader",
		"zone":                  "",
		"each other":            "",
		"a b":                   "",
	} {
		_, err := Parse(words)
		if err == nil {
			t.Errorf("%s: has a meaning", words)
			continue
		}
		_, hint, _ := strings.Cut(err.Error(), "\nhint: ")
		if want == "" && !strings.HasPrefix(hint, "write ") || want != "" && hint != "did you mean `"+want+"`?" {
			t.Errorf("%s: got %v, want %q", words, err, want)
			continue
		}
		if want != "" {
			if _, err := Parse(want); err != nil {
				t.Errorf("%s: %s is offered, but %v", words, want, err)
			}
		}
	}
}
