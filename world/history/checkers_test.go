package history

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// by sets what an operation means.
func by(o Operation, w Work, a Act, element string) Operation {
	o.Work, o.Act, o.Element = w, a, element
	return o
}

func final2(o Operation) Operation { return as(o, isFinal) }

func added(client int, start, end int64, e string) Operation {
	return by(wrote(client, start, end, "e"+e, "in"), Set, Add, e)
}

func looked(client int, start, end int64, e string, found bool) Operation {
	o := by(readOf(client, start, end, "e"+e, ""), Set, "", e)
	if found {
		o.Found, o.Got = true, "in"
	}
	return o
}

func grew(client int, start, end int64, from, to, e string) Operation {
	return by(swapped(client, start, end, "l", from, to), List, Append, e)
}

func listed(client int, start, end int64, value string) Operation {
	return by(readOf(client, start, end, "l", value), List, "", "")
}

func counted(client int, start, end int64, from, to string) Operation {
	return by(swapped(client, start, end, "c", from, to), Counter, Increment, "")
}

func number2(client int, start, end int64, value string) Operation {
	return by(readOf(client, start, end, "c", value), Counter, "", "")
}

func put(client int, start, end int64, from, to, e string) Operation {
	return by(swapped(client, start, end, "q", from, to), Queue, Enqueue, e)
}

func took(client int, start, end int64, from, to, e string) Operation {
	return by(swapped(client, start, end, "q", from, to), Queue, Dequeue, e)
}

func waiting(start, end int64, value string) Operation {
	return by(readOf(0, start, end, "q", value), Queue, "", "")
}

func acquired(client int, start, end int64, token string) Operation {
	return by(swapped(client, start, end, "m", "free", token), Lock, Acquire, token)
}

func released(client int, start, end int64, token string) Operation {
	return by(swapped(client, start, end, "m", token, "free "+token), Lock, Release, token)
}

func balances(client int, start, end int64, amounts ...string) Operation {
	o := by(op(client, start, end, Txn, "accounts"), Accounts, "", "")
	for i, a := range amounts {
		o.Parts = append(o.Parts, Part{Key: fmt.Sprint("a", i), Found: true, Got: a})
	}
	return o
}

// moved is a transfer that replaced two balances.
func moved(client int, start, end int64, from1, to1, from2, to2 string) Operation {
	o := balances(client, start, end, from1, from2)
	o.Act = Transfer
	for i, to := range []string{to1, to2} {
		o.Parts[i].Set, o.Parts[i].Value = true, to
	}
	return o
}

func account(key, value string) Operation { return by(readOf(0, 90, 91, key, value), Accounts, "", "") }

func at(node string, o Operation) Operation {
	return as(o, func(o *Operation) { o.Node = node })
}

// checks are histories, the checker of each, and what it says; "" passes.
var checks = []struct {
	name  string
	judge func(History) error
	h     History
	want  string
}{
	{"a set keeps what it took", NoLostWrites, numbered(added(1, 1, 2, "x"), final2(looked(0, 9, 10, "x", true))), ""},
	{"a set loses", NoLostWrites, numbered(added(1, 1, 2, "x"), looked(2, 3, 4, "x", true), final2(looked(0, 9, 10, "x", false))), "1 of 1 acknowledged elements are lost, the first x"},
	{"a set may lose what is in doubt", NoLostWrites, numbered(as(added(1, 1, 2, "x"), unknown), added(1, 3, 4, "y"),
		final2(looked(0, 9, 10, "x", false)), final2(looked(0, 9, 10, "y", true))), ""},
	{"a set may lose what was refused", NoLostWrites, numbered(as(added(1, 1, 2, "x"), refused), added(1, 3, 4, "y"),
		final2(looked(0, 9, 10, "x", false)), final2(looked(0, 9, 10, "y", true))), ""},
	{"a set that was not read in the end", NoLostWrites, numbered(added(1, 1, 2, "x"), as(final2(looked(0, 9, 10, "x", false)), unknown)), "undecided: the final reads of 1 of 1"},
	{"a set to which nothing was added", NoLostWrites, numbered(looked(1, 1, 2, "x", false)), "empty"},
	{"a register keeps the last", NoLostWrites, numbered(wrote(1, 1, 2, "a", "x"), wrote(1, 3, 4, "a", "y"), final2(readOf(0, 9, 10, "a", "y"))), ""},
	{"a register keeps one of two", NoLostWrites, numbered(wrote(1, 1, 5, "a", "x"), wrote(2, 3, 6, "a", "y"), final2(readOf(0, 9, 10, "a", "x"))), ""},
	{"a register goes back", NoLostWrites, numbered(wrote(1, 1, 2, "a", "x"), wrote(1, 3, 4, "a", "y"), final2(readOf(0, 9, 10, "a", "x"))), `write of "y" is lost: the final read returned "x"`},
	{"a register is empty", NoLostWrites, numbered(wrote(1, 1, 2, "a", "x"), final2(readOf(0, 9, 10, "a", ""))), "returned nothing"},
	{"a register holds what nobody wrote", NoLostWrites, numbered(wrote(1, 1, 2, "a", "x"), final2(readOf(0, 9, 10, "a", "z"))), "nobody can have written"},
	{"a doubtful write came late", NoLostWrites, numbered(as(wrote(1, 1, 2, "a", "x"), unknown), wrote(1, 3, 4, "a", "y"), final2(readOf(0, 9, 10, "a", "x"))), ""},
	{"no final read", NoLostWrites, numbered(wrote(1, 1, 2, "a", "x")), "there is no final read"},

	{"a list keeps", NoLostWrites, numbered(grew(1, 1, 2, "-", "x", "x"), final2(listed(0, 9, 10, "x"))), ""},
	{"a list loses", NoLostWrites, numbered(grew(1, 1, 2, "-", "x", "x"), final2(listed(0, 9, 10, "-"))), "acknowledged element x is lost"},
	{"a list has it twice", NoDuplicates, numbered(grew(1, 1, 2, "-", "x", "x"), listed(2, 3, 4, "x,y,x")), "x is in it twice"},
	{"a list has it once", NoDuplicates, numbered(grew(1, 1, 2, "-", "x", "x"), listed(2, 3, 4, "x,y")), ""},

	{"a counter counts", NoLostWrites, numbered(counted(1, 1, 2, "0 a", "1 b"), final2(number2(0, 9, 10, "1 b"))), ""},
	{"a counter loses", NoLostWrites, numbered(counted(1, 1, 2, "0 a", "1 b"), counted(2, 1, 2, "0 a", "1 c"), final2(number2(0, 9, 10, "1 c"))), "1 of 2 acknowledged increments are lost"},
	{"a counter loses one and counts a doubtful one", NoLostWrites, numbered(counted(1, 1, 2, "0 a", "1 b"), counted(2, 1, 2, "0 a", "1 c"),
		as(counted(3, 1, 2, "1 c", "2 d"), unknown), final2(number2(0, 9, 10, "2 d"))), "two came to 1"},
	{"a counter is too high", NoDuplicates, numbered(counted(1, 1, 2, "0 a", "1 b"), number2(2, 3, 4, "2 b")), "returned 2 when only 1"},
	{"a counter counts what is in doubt", CounterBounds, numbered(as(counted(1, 1, 2, "0 a", "1 b"), unknown), number2(2, 3, 4, "1 b")), ""},
	{"a counter is too low", CounterBounds, numbered(counted(1, 1, 2, "0 a", "1 b"), number2(2, 3, 4, "0 a")), "returned 0 when 1 increments"},
	{"no counter", CounterBounds, numbered(number2(2, 3, 4, "x")), "expected a number"},

	{"a queue gives back", NoLostWrites, numbered(put(1, 1, 2, "- a", "x b", "x"), took(2, 3, 4, "x b", "- c", "x"), final2(waiting(9, 10, "- c"))), ""},
	{"a queue keeps", NoLostWrites, numbered(put(1, 1, 2, "- a", "x b", "x"), final2(waiting(9, 10, "x b"))), ""},
	{"a queue loses", NoLostWrites, numbered(put(1, 1, 2, "- a", "x b", "x"), final2(waiting(9, 10, "- c"))), "acknowledged element x is lost"},
	{"a doubtful dequeue took it", NoLostWrites, numbered(put(1, 1, 2, "- a", "x b", "x"), as(took(2, 3, 4, "x b", "- c", "x"), unknown), final2(waiting(9, 10, "- c"))), ""},
	{"a queue gives twice", NoDuplicates, numbered(took(1, 1, 2, "x a", "- b", "x"), took(2, 3, 4, "x a", "- c", "x"), final2(waiting(9, 10, "- c"))), "x was dequeued twice"},
	{"a queue gives and keeps", NoDuplicates, numbered(took(1, 1, 2, "x a", "- b", "x"), final2(waiting(9, 10, "x c"))), "is still there"},

	{"a lock is held in turn", LockExclusion, numbered(acquired(1, 1, 2, "x"), released(1, 3, 4, "x"), acquired(2, 3, 5, "y"), released(2, 6, 7, "y")), ""},
	{"a lock is held twice", LockExclusion, numbered(acquired(1, 1, 2, "x"), acquired(2, 3, 4, "y"), released(1, 5, 6, "x"), released(2, 7, 8, "y")), "y holds it while x does"},
	{"a doubtful lock is nobody's", LockExclusion, numbered(as(acquired(1, 1, 2, "x"), unknown), acquired(2, 3, 4, "y"), released(2, 7, 8, "y")), ""},
	{"a doubtful lock that was seen is held", LockExclusion, numbered(as(acquired(1, 1, 2, "x"), unknown), by(readOf(1, 3, 4, "m", "x"), Lock, "", "x"),
		acquired(2, 5, 6, "y"), released(1, 8, 9, "x")), "y holds it while x does"},
	{"nobody held a lock", LockExclusion, numbered(as(acquired(1, 1, 2, "x"), refused)), "empty"},

	{"a register has each value once", NoDuplicates, numbered(wrote(1, 1, 2, "a", "x"), readOf(2, 3, 4, "a", "x"), wrote(1, 5, 6, "a", "y"), readOf(2, 7, 8, "a", "y")), ""},
	{"a register's value comes back", NoDuplicates, numbered(wrote(1, 1, 2, "a", "x"), readOf(2, 3, 4, "a", "x"), wrote(1, 5, 6, "a", "y"), readOf(2, 7, 8, "a", "y"), readOf(3, 9, 10, "a", "x")), `"x" was read from , then "y" in its place, then "x" again`},
	{"a register is empty for a while", NoDuplicates, numbered(wrote(1, 1, 2, "a", "x"), readOf(2, 3, 4, "a", "x"), readOf(2, 7, 8, "a", ""), readOf(3, 9, 10, "a", "x")), "then nothing in its place"},
	{"reads at the same time may see either", NoDuplicates, numbered(wrote(1, 1, 2, "a", "x"), readOf(2, 3, 8, "a", "x"), wrote(1, 5, 7, "a", "y"), readOf(2, 7, 9, "a", "y"), readOf(3, 8, 10, "a", "x")), ""},
	{"a node that is late shows nothing twice", NoDuplicates, numbered(wrote(1, 1, 2, "a", "x"), at("n1", readOf(2, 3, 4, "a", "x")), at("n1", readOf(2, 7, 8, "a", "y")), at("n2", readOf(3, 9, 10, "a", "x"))), ""},
	{"an element comes back", NoDuplicates, numbered(added(1, 1, 2, "x"), looked(2, 3, 4, "x", true), looked(2, 5, 6, "x", false), looked(2, 7, 8, "x", true)), "then nothing in its place"},
	{"a lock's holder comes back", NoDuplicates, numbered(acquired(1, 1, 2, "x"), by(readOf(2, 3, 4, "m", "x"), Lock, "", ""), released(1, 5, 6, "x"), by(readOf(2, 7, 8, "m", "free x"), Lock, "", ""), by(readOf(2, 9, 10, "m", "x"), Lock, "", "")), `then "x" again`},
	{"a balance comes back", NoDuplicates, numbered(balances(1, 1, 2, "40 a"), balances(1, 3, 4, "50 b"), balances(1, 5, 6, "40 a")), `then "40 a" again`},
	{"nothing was read", NoDuplicates, numbered(wrote(1, 1, 2, "a", "x")), "empty"},

	{"a lock is where it was left", NoLostWrites, numbered(acquired(1, 1, 2, "x"), final2(by(readOf(0, 3, 4, "m", "x"), Lock, "", ""))), ""},
	{"a lock forgets", NoLostWrites, numbered(by(wrote(0, 0, 0, "m", "free"), Lock, "", ""), acquired(1, 1, 2, "x"), final2(by(readOf(0, 3, 4, "m", "free"), Lock, "", ""))), `write of "x" is lost`},
	{"accounts keep", NoLostWrites, numbered(moved(1, 1, 2, "a", "b", "c", "d"), final2(account("a0", "b")), final2(account("a1", "d"))), ""},
	{"an account goes back", NoLostWrites, numbered(moved(1, 1, 2, "a", "b", "c", "d"), moved(1, 3, 4, "b", "e", "d", "f"), final2(account("a0", "b")), final2(account("a1", "f"))), `"a0": the acknowledged write of "e" is lost`},
	{"accounts were not read in the end", NoLostWrites, numbered(moved(1, 1, 2, "a", "b", "c", "d")), "no final read"},
	{"a client sees accounts go back", MonotonicReads, numbered(moved(1, 1, 2, "a", "b", "c", "d"), moved(1, 3, 4, "b", "e", "d", "f"), balances(2, 5, 6, "e", "f"), balances(2, 7, 8, "b", "f")), `"a0": client 2 read "b" after "e"`},

	{"a client reads forward", MonotonicReads, numbered(wrote(1, 1, 2, "a", "x"), readOf(2, 3, 4, "a", "x"), wrote(1, 5, 6, "a", "y"), readOf(2, 7, 8, "a", "y")), ""},
	{"a client reads backward", MonotonicReads, numbered(wrote(1, 1, 2, "a", "x"), wrote(1, 3, 4, "a", "y"), readOf(2, 5, 6, "a", "y"), readOf(2, 7, 8, "a", "x")), `client 2 read "x" after "y"`},
	{"a client reads nothing again", MonotonicReads, numbered(wrote(1, 1, 2, "a", "x"), readOf(2, 5, 6, "a", "x"), readOf(2, 7, 8, "a", "")), "client 2 read nothing after"},
	{"another client is behind", MonotonicReads, numbered(wrote(1, 1, 2, "a", "x"), wrote(1, 3, 4, "a", "y"), readOf(2, 5, 6, "a", "y"), readOf(3, 7, 8, "a", "x"), readOf(3, 9, 10, "a", "x")), ""},
	{"backward by way of a third value", MonotonicReads, numbered(wrote(1, 1, 2, "a", "x"), wrote(1, 3, 4, "a", "y"), wrote(3, 1, 9, "a", "z"),
		readOf(2, 5, 6, "a", "y"), readOf(2, 7, 8, "a", "z"), readOf(2, 9, 10, "a", "x")), `client 2 read "x"`},
	{"an element is gone again", MonotonicReads, numbered(looked(1, 1, 2, "x", true), looked(1, 3, 4, "x", false)), "found x, and then did not"},
	{"a list shrinks", MonotonicReads, numbered(listed(1, 1, 2, "x,y"), listed(1, 3, 4, "x")), "without elements"},
	{"a counter goes back", MonotonicReads, numbered(number2(1, 1, 2, "2 a"), number2(1, 3, 4, "1 b")), `read "1 b" after "2 a"`},
	{"one read alone", MonotonicReads, numbered(readOf(1, 1, 2, "a", "")), "empty"},

	{"the total is kept", func(h History) error { return Total(h, 100) }, numbered(balances(1, 1, 2, "40 a", "60 b"), balances(2, 3, 4, "45 c", "55 d")), ""},
	{"the total is not kept", func(h History) error { return Total(h, 100) }, numbered(balances(1, 1, 2, "40 a", "60 b"), balances(2, 3, 4, "45 c", "60 b")), "got 105: 45 + 60"},
	{"an account is gone", func(h History) error { return Total(h, 100) }, numbered(balances(1, 1, 2, "40 a", "")), "expected a number"},
	{"no read of accounts", func(h History) error { return Total(h, 100) }, numbered(as(balances(1, 1, 2, "1 a"), unknown)), "empty"},
}

func TestCheckersByHand(t *testing.T) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			err := c.judge(c.h)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			var v *Violation
			if errors.As(err, &v) && len(v.Proof) == 0 {
				t.Error("no operations prove it")
			}
			if empty := c.judge(nil); !errors.Is(empty, ErrEmpty) {
				t.Errorf("an empty history: %v", empty)
			}
		})
	}
}
