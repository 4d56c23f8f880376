package client

import (
	"context"
	"fmt"
	"time"
)

// caller asks a server something over its client C, on the one connection. connected is false when nothing was sent.
type caller[C any] func(ctx context.Context, ask func(context.Context, C) error) (connected bool, err error)

// attempt makes one attempt at something of the kind; failure judges the error of what was asked.
func (call caller[C]) attempt(ctx context.Context, kind Kind, ask func(context.Context, C) error, failure func(context.Context, time.Time, Kind, error) Result) Result {
	start := time.Now()
	connected, err := call(ctx, ask)
	switch {
	case err == nil:
		return Result{Outcome: OK, Answered: true}
	case !connected:
		return notConnected(ctx, start, err)
	}
	return failure(ctx, start, kind, err)
}

// ask is for questions that a result would say too much about: one error, with the node's name and what was wanted of
// it; answered words the error of a server that answered.
func (call caller[C]) ask(ctx context.Context, name, what string, question func(context.Context, C) error, answered func(error) error) error {
	start := time.Now()
	connected, err := call(ctx, question)
	switch {
	case err == nil:
		return nil
	case !connected:
		err = notConnected(ctx, start, err).Err
	case ctx.Err() != nil:
		err = noAnswer(ctx, start).Err
	default:
		err = answered(err)
	}
	return fmt.Errorf("%s: %s: %w", name, what, err)
}
