package steps

import (
	"context"
	"reflect"
	"testing"

	"github.com/cucumber/godog"

	"brine.test/brine/world"
)

func TestUndefinedOffersWhatIsNear(t *testing.T) {
	for text, want := range map[string]string{
		`node2 is isolatd`: "did you mean `node2 is isolated`?",
		`a minority with the leader of etcd is kiled`: "`a minority with the leader of etcd is killed`",
		`node3 is isoalted for 7s`:                    "did you mean `node3 is isolated for 7s`",
		`the leader is kiled`:                         "`the leader is killed`",
		`a write to node7 succeds within 20s`:         "`a write to node7 succeeds within 20s`",
		`the network is split in halves`:              "`the network is split into halves`",
		`"x" is writen to "key" on node2`:             "`\"x\" is written to \"key\" on node2`",
		`I GET http://node1:8080/x`:                   "I GET",
		`a 5 node cluster running etcd`:               "-node cluster running etcd`",
		`the response status code is 404`:             "`the response status is 404`",
		`node1 can not reach node3`:                   "`node1 cannot reach node3`",
		`zone az2 is isolated from the other zone`:    "", // a selector's mistake, told when it runs
		`a 3-nodes cluster running shop`:              "`a 3-node cluster running ",
		`a 1-node clutser running shop`:               "`a 1-node cluster running shop`",
		`the leader of shop is kiled`:                 "`the leader of shop is killed`",
		`let there be light`:                          "`brine steps` prints",
		`the weather over the sea is calm and quiet`:  "`brine steps` prints",
	} {
		err := Undefined(text)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		refused(t, text, want, err)
	}
}

func TestDispatch(t *testing.T) {
	ctx := context.Background()
	refused(t, "no world", "no scenario", Dispatch(ctx, "node2 is killed", Argument{}))
	refused(t, "near", "did you mean `node2 is killed`", Dispatch(ctx, "node2 is kiled", Argument{}))
	refused(t, "nothing under it", "nothing stands under it", Dispatch(ctx, `the service "kv":`, Argument{}))
	doc := "name: kv"
	refused(t, "takes none", "it takes none", Dispatch(ctx, `node2 is killed`, Argument{Doc: &doc}))
}

func TestOnlyHarmsWaitForTheirMoment(t *testing.T) {
	for text, want := range map[string]string{
		"I wait 5s":       "no harm",
		"node2 is ready":  "no harm",
		"node2 is kilt":   "no such sentence",
		"the moon is ful": "no such sentence",
	} {
		refused(t, text, want, harms(text))
	}
	for _, text := range []string{"node2 is killed", "node2 is isolated for 5s", "everything heals"} {
		if err := harms(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestNeedsOfNothing(t *testing.T) {
	if got := Needs("node2 is killed", `when the log of node2 contains "x", node2 is killed`, "no sentence"); !reflect.DeepEqual(got, world.Needs{}) {
		t.Errorf("got %+v", got)
	}
}

// What will be remembered as a secret is known before the response is recorded.
func TestNeedsOfSecrets(t *testing.T) {
	got := Needs(`the response JSON at "id" is remembered as "ID"`, `the response JSON at "a[""b.c""]" is remembered as "MY_TOKEN"`)
	if want := []string{`a["b.c"]`}; !reflect.DeepEqual(got.Secrets, want) {
		t.Errorf("got %q, want %q", got.Secrets, want)
	}
}

func TestRegisterOnGodog(t *testing.T) {
	passed := godog.TestSuite{
		ScenarioInitializer: func(sc *godog.ScenarioContext) { Register(sc) },
		Options: &godog.Options{
			Format: "pretty", Strict: true, NoColors: true, Output: t.Output(),
			FeatureContents: []godog.Feature{{Name: "a.feature", Contents: []byte("Feature: f\n  Scenario: s\n    When node2 is isolated\n")}},
		},
	}.Run()
	if passed == 0 {
		t.Error("a scenario without a world passed")
	}
}
