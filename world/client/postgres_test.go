package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestPostgresFailure(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	says := func(code string) error { return &pgconn.PgError{Code: code, Message: "m"} }
	for _, c := range []struct {
		name     string
		ctx      context.Context
		kind     Kind
		err      error
		want     Outcome
		answered bool
	}{
		{"a standby refuses a write", t.Context(), Write, says("25006"), Failed, true},
		{"a conflict of transactions", t.Context(), CAS, says("40001"), Failed, true},
		{"another value", t.Context(), CAS, fmt.Errorf("%w under x", ErrConflict), Failed, true},
		{"ends while it waits for its standby", t.Context(), Write, says("57P01"), Unknown, true},
		{"ends before anything was committed", t.Context(), CAS, fmt.Errorf("%w: %w", errNotSent, says("57P01")), Failed, true},
		{"ends in a read", t.Context(), Read, says("57P01"), Failed, true},
		{"cut off in a write", t.Context(), Write, io.ErrUnexpectedEOF, Unknown, true},
		{"cut off in a read", t.Context(), Read, io.ErrUnexpectedEOF, Failed, true},
		{"cut off before the commit", t.Context(), CAS, fmt.Errorf("%w: %w", errNotSent, errors.New("x")), Failed, false},
		{"no time left", over, Write, context.Canceled, Unknown, false},
		{"no time left in a read", over, Read, context.Canceled, Unknown, false},
	} {
		if got := postgresFailure(c.ctx, time.Now(), c.kind, c.err); got.Outcome != c.want || got.Answered != c.answered {
			t.Errorf("%s: %s, answered %t; want %s, %t", c.name, got, got.Answered, c.want, c.answered)
		}
	}
}

func TestPostgresTransactionsThatWereBeaten(t *testing.T) {
	for code, want := range map[string]bool{"40001": true, "40P01": true, "40003": false, "23505": false} {
		err := fmt.Errorf("%w: %w", errNotSent, &pgconn.PgError{Code: code, Message: "m"})
		if got := postgresFailure(t.Context(), time.Now(), CAS, err); got.Beaten() != want {
			t.Errorf("%s: %s, beaten %t, want %t", code, got, got.Beaten(), want)
		}
	}
}
