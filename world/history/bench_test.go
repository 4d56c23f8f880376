package history

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// many is the length of the histories that checkers are measured on.
const many = 100_000

// busy makes a long history of five clients whose operations overlap, each taking effect soon after it began. do tells
// what the i-th one is.
func busy(do func(i int, o *Operation)) History {
	h := make(History, 0, many)
	for i := range many {
		at := int64(10 * i)
		o := Operation{Client: i%5 + 1, Node: fmt.Sprint("node", i%3+1), Outcome: OK, Start: at, End: at + 35}
		do(i, &o)
		h = append(h, o)
	}
	return h
}

// busyChain is that of a workload that compares and sets its only key, and reads it half of the time; a list gives way
// to a new one as the workload's do.
func busyChain(w Work, act Act, first string, next func(i int, now string) (element, value string)) History {
	now, key := first, 0
	var all History
	h := busy(func(i int, o *Operation) {
		if w == List && i%200 == 0 {
			key, now = i, first
			all = append(all, Operation{Work: w, Kind: Write, Key: fmt.Sprint("k", key), Value: first, Outcome: OK, Setup: true, Start: o.Start, End: o.Start})
		}
		o.Work, o.Key = w, fmt.Sprint("k", key)
		if i%2 == 1 {
			o.Kind, o.Found, o.Got = Read, true, now
			return
		}
		o.Kind, o.Act, o.Expect = CAS, act, now
		o.Element, o.Value = next(i, now)
		now = o.Value
		if o.Act == Enqueue && i%4 == 0 && len(Waiting(o.Expect)) > 0 {
			o.Act, o.Element = Dequeue, Waiting(o.Expect)[0]
			o.Value = QueueValue(Waiting(o.Expect)[1:], fmt.Sprint(i))
			now = o.Value
		}
	})
	if w != List {
		all = append(all, Operation{Work: w, Kind: Write, Key: "k0", Value: first, Outcome: OK, Setup: true})
	}
	finals := map[string]string{}
	for _, o := range h {
		if o.Kind == CAS {
			finals[o.Key] = o.Value
		}
	}
	all = append(all, h...)
	for k, v := range finals {
		all = append(all, Operation{Work: w, Kind: Read, Key: k, Found: true, Got: v, Final: true, Outcome: OK, Start: 10 * many * 2, End: 10*many*2 + 1})
	}
	return numbered(all...)
}

func busyRegisters() History {
	now := map[string]cell{}
	h := busy(func(i int, o *Operation) {
		o.Work, o.Key = Registers, fmt.Sprint("r", i*7%10)
		switch is := now[o.Key]; {
		case i%3 == 0:
			o.Kind, o.Found, o.Got = Read, is.there, is.value
		case i%3 == 1 && is.there:
			o.Kind, o.Expect, o.Value = CAS, is.value, fmt.Sprint(i)
		default:
			o.Kind, o.Value = Write, fmt.Sprint(i)
		}
		if o.Kind != Read {
			now[o.Key] = cell{true, o.Value}
		}
	})
	for k, v := range now {
		h = append(h, Operation{Work: Registers, Kind: Read, Key: k, Found: true, Got: v.value, Final: true, Outcome: OK, Start: 10 * many * 2, End: 10*many*2 + 1})
	}
	return numbered(h...)
}

func busyTransfers() History {
	now := []string{"500 0.1", "500 0.2"}
	var first []Operation
	for j, v := range now {
		first = append(first, Operation{Work: Accounts, Kind: Write, Key: fmt.Sprint("a", j), Value: v, Outcome: OK, Setup: true})
	}
	h := busy(func(i int, o *Operation) {
		o.Work, o.Kind, o.Key = Accounts, Txn, "accounts"
		for j := range now {
			p := Part{Key: fmt.Sprint("a", j), Found: true, Got: now[j]}
			if i%2 == 0 {
				n, _ := Amount(now[j])
				p.Set, p.Value = true, AmountValue(n+1-2*j, fmt.Sprint(i))
				now[j] = p.Value
				o.Act = Transfer
			}
			o.Parts = append(o.Parts, p)
		}
	})
	return numbered(append(first, h...)...)
}

func busyLock() History {
	now := FreeValue("0")
	return numbered(busy(func(i int, o *Operation) {
		o.Work, o.Kind, o.Key, o.Expect = Lock, CAS, "m", now
		o.End, o.Client = o.Start+9, 1
		if i%2 == 0 {
			o.Act, o.Element, o.Value = Acquire, fmt.Sprint("1.", i), fmt.Sprint("1.", i)
		} else {
			o.Act, o.Element, o.Value = Release, now, FreeValue(fmt.Sprint(i))
		}
		now = o.Value
	})...)
}

func busySet() History {
	var all []string
	h := busy(func(i int, o *Operation) {
		o.Work = Set
		if i%3 == 2 {
			o.Element = all[i%len(all)]
			o.Kind, o.Key, o.Found, o.Got = Read, "e"+o.Element, true, "in"
			return
		}
		o.Element = fmt.Sprint(i)
		o.Kind, o.Act, o.Key, o.Value = Write, Add, "e"+o.Element, "in"
		all = append(all, o.Element)
	})
	for _, e := range all {
		h = append(h, Operation{Work: Set, Kind: Read, Key: "e" + e, Element: e, Found: true, Got: "in", Final: true, Outcome: OK, Start: 10 * many * 2, End: 10*many*2 + 1})
	}
	return numbered(h...)
}

// adders are how many clients record at once.
const adders = 8

// record lets clients add operations, each as many, and gives how long each add took.
func record(b *testing.B, each int, pace time.Duration) (took []time.Duration, all time.Duration) {
	w, err := Create(filepath.Join(b.TempDir(), "history.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	o := wrote(3, 123456789012, 123456799012, "r1", "3.17")
	o.Node = "node2"
	var mu sync.Mutex
	var wg sync.WaitGroup
	begin := time.Now()
	for range adders {
		wg.Go(func() {
			mine := make([]time.Duration, 0, each)
			for i := range each {
				if due := time.Duration(i) * pace; pace > 0 && time.Since(begin) < due {
					time.Sleep(due - time.Since(begin)) // what was due in the meantime follows at once
				}
				at := time.Now()
				w.Add(o)
				mine = append(mine, time.Since(at))
			}
			mu.Lock()
			took = append(took, mine...)
			mu.Unlock()
		})
	}
	wg.Wait()
	all = time.Since(begin)
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return took, all
}

// The recorder takes 50,000 operations a second without being felt by those who work.
func BenchmarkAdd(b *testing.B) {
	b.Run("flat-out", func(b *testing.B) {
		for b.Loop() {
			took, all := record(b, 100_000, 0)
			b.ReportMetric(float64(len(took))/all.Seconds(), "ops/s")
		}
	})
	b.Run("50000-per-second", func(b *testing.B) {
		const rate = 50_000
		for b.Loop() {
			took, _ := record(b, rate/adders, adders*time.Second/rate)
			slices.Sort(took)
			b.ReportMetric(100*rate*took[len(took)/2].Seconds(), "share-%")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1000, "p99-µs")
		}
	})
}

// Each checker judges 100,000 operations in a time that a tester waits for.
func BenchmarkCheck(b *testing.B) {
	lists := busyChain(List, Append, ListValue(nil), func(i int, now string) (string, string) {
		return fmt.Sprint(i), ListValue(append(Elements(now), fmt.Sprint(i)))
	})
	counter := busyChain(Counter, Increment, "0 0", func(i int, now string) (string, string) {
		n, _ := Amount(now)
		return "", AmountValue(n+1, fmt.Sprint(i))
	})
	queue := busyChain(Queue, Enqueue, QueueValue(nil, "0"), func(i int, now string) (string, string) {
		waiting := append(Waiting(now), fmt.Sprint(i))
		return fmt.Sprint(i), QueueValue(waiting, fmt.Sprint(i))
	})
	registers, set, lock, accounts := busyRegisters(), busySet(), busyLock(), busyTransfers()
	linear := func(h History) error { return Linearizable(h, Limits{}).Err }
	strict := func(h History) error { return Serializable(h, true, Limits{}) }
	for _, c := range []struct {
		name  string
		h     History
		judge func(History) error
	}{
		{"registers-linearizable", registers, linear},
		{"registers-lost", registers, NoLostWrites},
		{"registers-twice", registers, NoDuplicates},
		{"registers-back", registers, MonotonicReads},
		{"registers-serializable", registers, strict},
		{"set-lost", set, NoLostWrites},
		{"set-linearizable", set, linear},
		{"list-linearizable", lists, linear},
		{"list-serializable", lists, strict},
		{"list-twice", lists, NoDuplicates},
		{"counter-linearizable", counter, linear},
		{"counter-bounds", counter, CounterBounds},
		{"counter-lost", counter, NoLostWrites},
		{"queue-twice", queue, NoDuplicates},
		{"lock-exclusion", lock, LockExclusion},
		{"accounts-total", accounts, func(h History) error { return Total(h, 1000) }},
		{"accounts-serializable", accounts, strict},
		{"availability", registers, func(h History) error { _, err := Measure(h, Operations, Window{}); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.judge(c.h); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/100k")
		})
	}
	b.Run("load", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "history.jsonl")
		w, err := Create(path)
		if err != nil {
			b.Fatal(err)
		}
		for _, o := range registers {
			w.Add(o)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if h, err := Load(path); err != nil || len(h) != len(registers) {
				b.Fatal(len(h), err)
			}
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/100k")
	})
}
