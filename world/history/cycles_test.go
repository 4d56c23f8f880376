package history

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// did is a transaction out of words: "x:1>2" replaced version 1 of x with 2, "x:2" read version 2; version 0 is nothing.
func did(client int, start, end int64, parts ...string) Operation {
	o := op(client, start, end, Txn, "txn")
	o.Work = Accounts
	for _, p := range parts {
		key, versions, _ := strings.Cut(p, ":")
		from, to, set := strings.Cut(versions, ">")
		one := Part{Key: key, Set: set, Value: to}
		if from != "0" {
			one.Found, one.Got = true, from
		}
		o.Parts = append(o.Parts, one)
	}
	return o
}

func TestCyclesByHand(t *testing.T) {
	for name, c := range map[string]struct {
		h             History
		plain, strict string
	}{
		"in turn":                             {numbered(did(1, 1, 2, "x:0>1"), did(2, 3, 4, "x:1>2", "y:0>1"), did(3, 5, 6, "x:2", "y:1")), "", ""},
		"G0: each overwrote the other":        {numbered(did(1, 1, 9, "x:0>1", "y:2>1"), did(2, 1, 9, "x:1>2", "y:0>2"), did(3, 10, 11, "x:2")), "G0:", "G0:"},
		"G1a: a refused write was read":       {numbered(as(did(1, 1, 2, "x:0>1"), refused), did(2, 3, 4, "x:1")), "G1a", "G1a"},
		"G1b: a version between was read":     {numbered(did(1, 1, 9, "x:0>1", "x:1>2"), did(2, 3, 4, "x:1")), "G1b", "G1b"},
		"its own version between is fine":     {numbered(did(1, 1, 9, "x:0>1", "x:1>2"), did(2, 10, 11, "x:2")), "", ""},
		"G1c: each read the other's":          {numbered(did(1, 1, 9, "x:0>1", "y:1"), did(2, 1, 9, "y:0>1", "x:1")), "G1c:", "G1c:"},
		"G-single: a read between two writes": {numbered(did(1, 1, 9, "x:0>1", "y:0>1"), did(2, 1, 9, "x:1>2", "y:1>2"), did(3, 1, 9, "x:2", "y:1")), "G-single:", "G-single:"},
		"G2: write skew":                      {numbered(did(0, 1, 2, "x:0>1", "y:0>1"), did(1, 3, 9, "x:1", "y:1>2"), did(2, 3, 9, "y:1", "x:1>2")), "G2:", "G2:"},
		"G2: one version replaced twice":      {numbered(did(0, 1, 2, "x:0>1"), did(1, 3, 9, "x:1>2"), did(2, 3, 9, "x:1>3")), "G2:", "G2:"},
		"stale, which only time tells":        {numbered(did(1, 1, 2, "x:0>1"), did(1, 3, 4, "x:1>2"), did(2, 5, 6, "x:1")), "", "G-single-realtime:"},
		"a doubtful write that was seen":      {numbered(as(did(1, 1, 2, "x:0>1"), unknown), did(2, 5, 6, "x:1"), did(2, 7, 8, "x:0")), "", "G-single-realtime:"},
		"a doubtful write that nobody saw":    {numbered(as(did(1, 1, 2, "x:0>1"), unknown), did(2, 5, 6, "x:0")), "", ""},
		"what nobody wrote":                   {numbered(did(1, 1, 2, "x:0>1"), did(2, 5, 6, "x:7")), "nobody can have written", "nobody can have written"},
		"nothing was read":                    {numbered(as(did(1, 1, 2, "x:0>1"), unknown)), "empty", "empty"},
		"single operations":                   {numbered(wrote(1, 1, 2, "a", "x"), readOf(1, 3, 4, "a", "x"), swapped(2, 5, 6, "a", "x", "y"), swapped(3, 7, 8, "a", "x", "z")), "G2:", "G-single-realtime:"},
	} {
		t.Run(name, func(t *testing.T) {
			for strict, want := range map[bool]string{false: c.plain, true: c.strict} {
				err := Serializable(c.h, strict, Limits{})
				if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
					t.Errorf("strict %v: got %v, want %q", strict, err, want)
				}
			}
		})
	}
}

// transactions makes a history of transactions that read and replace up to three keys.
func transactions(t *rapid.T) History {
	state := map[string]cell{}
	return plan(t, 4, 8, func(o *made) {
		o.Work, o.Kind, o.Key = Accounts, Txn, "txn"
		fresh := map[string]cell{}
		for _, k := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "y", "z"}), 1, 3, rapid.ID[string]).Draw(t, "keys") {
			p := Part{Key: k, Found: state[k].there, Got: state[k].value, Set: rapid.Bool().Draw(t, "set")}
			if p.Set {
				p.Value = fmt.Sprintf("%d.%d.%s", o.Client, o.N, k)
				fresh[k] = cell{true, p.Value}
			}
			o.Parts = append(o.Parts, p)
		}
		if !o.never {
			for k, v := range fresh {
				state[k] = v
			}
		}
	})
}

func TestHistoriesOfCorrectTransactionsPass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := transactions(t)
		for _, strict := range []bool{false, true} {
			if err := Serializable(h, strict, Limits{}); err != nil && !errors.Is(err, ErrEmpty) {
				t.Fatalf("strict %v: %v", strict, err)
			}
		}
	})
}

// A read of what another transaction, which ended before, had replaced long ago is always found.
func TestOneFalsifiedTransactionIsFound(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		h := transactions(t)
		type change struct {
			txn, part int
			got       string
		}
		var can []change
		for r := range h {
			for p, part := range h[r].Parts {
				if h[r].Outcome != OK || h[r].Parts[p].Set {
					continue
				}
				for w := range h {
					if h[w].Outcome != OK || h[w].End >= h[r].Start {
						continue
					}
					for _, q := range h[w].Parts {
						if q.Key == part.Key && q.Set && q.Found {
							can = append(can, change{r, p, q.Got})
						}
					}
				}
			}
		}
		if len(can) == 0 {
			t.Skip("no read can be falsified")
		}
		found++
		c := rapid.SampledFrom(can).Draw(t, "falsified")
		h[c.txn].Parts[c.part].Found, h[c.txn].Parts[c.part].Got = true, c.got
		var v *Violation
		if err := Serializable(h, true, Limits{}); !errors.As(err, &v) || len(v.Proof) == 0 {
			t.Fatalf("passed: %v", err)
		}
	})
	if found == 0 {
		t.Error("no history was falsified")
	}
}

func TestCyclesOfALongHistory(t *testing.T) {
	var h History
	for i := range 50_000 {
		at := int64(10 * i)
		h = append(h, did(i%5+1, at, at+25, fmt.Sprintf("x:%d>%d", i, i+1), fmt.Sprintf("y%d:0>1", i)))
	}
	h = numbered(h...)
	began := time.Now()
	if err := Serializable(h, true, Limits{}); err != nil {
		t.Error(err)
	}
	t.Logf("%d transactions in %s", len(h), time.Since(began))
	last := &h[len(h)-1]
	last.Parts = append(last.Parts, Part{Key: "y7", Found: false})
	if err := Serializable(h, true, Limits{}); err == nil || !strings.Contains(err.Error(), "G-single") {
		t.Errorf("got %v", err)
	}
}
