package client

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	gonats "github.com/nats-io/nats.go"
)

func TestNatsSubject(t *testing.T) {
	for key, want := range map[string]string{
		"k": "$KV.brine.k", "a/b-c_D9": "$KV.brine.a/b-c_D9", "a.b": "$KV.brine.a=2Eb", "two words": "$KV.brine.two=20words",
		"*": "$KV.brine.=2A", ">": "$KV.brine.=3E", "=": "$KV.brine.=3D", "": "$KV.brine.=", "ü": "$KV.brine.=C3=BC",
	} {
		if got := natsSubject(key); got != want {
			t.Errorf("%q = %q, want %q", key, got, want)
		}
	}
}

func TestNatsFailure(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		kind Kind
		err  error
		want Outcome
	}{
		{"nobody has it", t.Context(), Write, gonats.ErrNoResponders, Failed},
		{"another value", t.Context(), CAS, fmt.Errorf("%w: x", ErrConflict), Failed},
		{"another change of the key is under way", t.Context(), CAS, fmt.Errorf("%w: %w: %w", errNotSent, ErrBusy, &natsError{Code: natsBusySubject}), Failed},
		{"the server says no to a write", t.Context(), Write, &natsError{Code: 10077, Text: "store failed"}, Unknown},
		{"the server says no to a read", t.Context(), Read, &natsError{Code: 1, Text: "no"}, Failed},
		{"cut off in a write", t.Context(), Write, gonats.ErrConnectionClosed, Unknown},
		{"cut off in a read", t.Context(), Read, gonats.ErrConnectionClosed, Failed},
		{"no time left for a write", over, Write, context.Canceled, Unknown},
		{"no time left before a write", over, Write, fmt.Errorf("%w: %w", errNotSent, errors.New("x")), Failed},
	} {
		if got := natsFailure(c.ctx, time.Now(), c.kind, c.err); got.Outcome != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
