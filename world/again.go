package world

import (
	"context"
	"fmt"
	"net/http"
)

// RequestAgain sends the last request once more, for a sentence about its
// answer that has a time bound. Only what is safe to repeat is (RFC 9110, 9.2.1).
func (w *World) RequestAgain(ctx context.Context) error {
	last, err := w.judge()
	if err != nil {
		return err
	}
	switch last.req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return w.Request(ctx, last.req, Bound{})
	}
	return fmt.Errorf("%s %s: is not sent again for a time bound, since it may change something\nhint: leave the bound away, or look with a GET", last.req.Method, last.req.URL)
}

// RunCommandAgain runs the last command once more, where it ran, for a sentence
// about its outcome that has a time bound.
func (w *World) RunCommandAgain(ctx context.Context) error {
	last, err := w.lastCommand()
	if err != nil {
		return err
	}
	_, err = w.runOn(ctx, last.on, last.line, last.args)
	return err
}
