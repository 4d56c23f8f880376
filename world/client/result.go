package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// noAnswer is the result of an attempt whose time ended, or that was given up, before anything was heard.
func noAnswer(ctx context.Context, since time.Time) Result {
	took := time.Since(since).Round(time.Millisecond)
	if errors.Is(ctx.Err(), context.Canceled) {
		return Result{Outcome: Unknown, Err: fmt.Errorf("given up after %s: %w", took, context.Canceled)}
	}
	return Result{Outcome: Unknown, Err: fmt.Errorf("%w within %s", ErrNoAnswer, took)}
}

// notConnected is the result of an attempt that found no connection; nothing was sent.
func notConnected(ctx context.Context, since time.Time, err error) Result {
	if ctx.Err() != nil || isTimeout(err) {
		return noAnswer(ctx, since)
	}
	return Result{Outcome: Failed, Answered: isRefusal(err), Err: fmt.Errorf("connect: %w", err)}
}

// cut is the result of an attempt whose connection broke after the operation was sent.
func cut(err error) Result {
	answered := isRefusal(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	return Result{Outcome: Unknown, Answered: answered, Err: err}
}

func unsupported(what string) Result {
	return Result{Outcome: Failed, Err: fmt.Errorf("%s: %w", what, ErrUnsupported)}
}
