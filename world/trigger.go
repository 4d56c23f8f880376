package world

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// trigger is a harm that waits for its moment.
type trigger struct {
	what, on string
	fired    atomic.Bool
}

func (t *trigger) fire() { t.fired.Store(true) }

// untriggered tells of the harms whose moment never came.
func (w *World) untriggered() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for _, t := range w.triggers {
		if !t.fired.Load() {
			errs = append(errs, fmt.Errorf("%s: never happened, for its moment never came: when %s", t.what, t.on))
		}
	}
	return errors.Join(errs...)
}
