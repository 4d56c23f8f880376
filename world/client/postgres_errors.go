package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Codes of transactions that were undone because of others at the same time (PostgreSQL's Appendix A, class 40).
const (
	postgresBeaten   = "40001" // could not serialize access
	postgresDeadlock = "40P01"
)

// postgresFailure decides what an error means for an operation that was sent. An error that the server gives has undone
// the transaction, but for those of a server that ends, which may have committed and not said so.
func postgresFailure(ctx context.Context, start time.Time, kind Kind, err error) Result {
	var said *pgconn.PgError
	switch {
	case errors.Is(err, ErrConflict):
		return Result{Outcome: Failed, Answered: true, Err: err}
	case errors.Is(err, ErrUnsupported):
		return Result{Outcome: Failed, Err: err}
	case errors.As(err, &said):
		r := Result{Outcome: Failed, Answered: true, Err: errors.New(said.Message + " (" + said.Code + ")")}
		if said.Code == postgresBeaten || said.Code == postgresDeadlock {
			r.Err = fmt.Errorf("%w: %w", ErrBusy, r.Err)
		}
		if kind.changes() && leavesOpen(said.Code) && !errors.Is(err, errNotSent) {
			r.Outcome = Unknown
		}
		return r
	case errors.Is(err, errNotSent) && ctx.Err() == nil && !isTimeout(err):
		return Result{Outcome: Failed, Answered: isRefusal(err), Err: err}
	case ctx.Err() != nil || isTimeout(err):
		return noAnswer(ctx, start)
	}
	r := cut(closedByServer(err))
	r.Answered = r.Answered || strings.Contains(err.Error(), "EOF")
	if !kind.changes() {
		r.Outcome = Failed
	}
	return r
}

// leavesOpen tells whether after an error of this code (PostgreSQL's Appendix A) a transaction may have been committed:
// connections that failed, servers that end, which includes waits for a synchronous standby, and internal errors.
func leavesOpen(code string) bool {
	for _, class := range []string{"08", "40003", "57", "58", "XX"} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}
