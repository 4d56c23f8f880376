package steps

import (
	"strings"
	"testing"

	"brine.test/brine/world"
)

// Amounts of nothing, and units that do not exist, are refused in the words of the sentence, before anything is done.
func TestMistakesInAmounts(t *testing.T) {
	ctx := world.Into(t.Context(), &world.World{}) // none of them reaches it
	for sentence, want := range map[string]string{
		"packets to node2 are delayed by 0ms":                "above zero",
		"name resolution is slow by 0s on node1":             "above zero",
		"the link between node1 and node2 flaps every 0s":    "above zero",
		"the disk of node2 is slow by 0ms":                   "above zero",
		"the disk of node2 is slow by 5 parsecs":             `unknown unit of time "parsecs"`,
		"fsync on the disk of node2 takes 0ms":               "above zero",
		"fsync on the disk of node2 takes 5":                 "needs a unit",
		"200% of reads from the disk of node2 are corrupted": "at most 100%",
		"node2 is killed and started again 0 times":          "at least 1",
		"10% of packets to node2 are lost in bursts of 0":    "at least 1",
		"node1 and node2 are isolated from each other":       "`node1 and node2 cannot reach each other`",
		`a 1-node cluster running kv named ""`:               "a name is missing",
		"the nodes in zone az1 are killed":                   "did you mean `zone az1`?",
		"node2 is isolated from all other nodes":             "did you mean `the other nodes`?",
	} {
		err := Dispatch(ctx, sentence, Argument{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", sentence, err, want)
		}
	}
}
