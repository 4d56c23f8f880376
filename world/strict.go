package world

import (
	"errors"
	"fmt"
	"slices"
)

// strictTag makes a harm that touched nothing fail its scenario.
const strictTag = "@strict-faults"

// untouched tells of the harms that touched nothing where the scenario wants
// each to be felt: a test that passes because its fault never happened is a
// false pass.
func (w *World) untouched() error {
	if !slices.Contains(w.scenario.Info.Tags, strictTag) {
		return nil
	}
	harms := w.allHarms()
	var errs []error
	for _, a := range harms {
		if !a.Receipt().Touched() {
			errs = append(errs, fmt.Errorf("%s: touched nothing: the fault never happened, and the scenario is %s", a.named(), strictTag))
		}
	}
	return errors.Join(errs...)
}
