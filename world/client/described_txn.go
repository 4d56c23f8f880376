package client

import (
	"context"
	"encoding/json"
	"fmt"

	"brine.test/brine/world/catalogue"
)

var _ Transactor = (*described)(nil)

// ReadAll does read_all, and takes the answer for a JSON object of texts.
func (d *described) ReadAll(ctx context.Context, keys []string) (map[string]string, Result) {
	action := d.actions[catalogue.OpReadAll]
	if action == nil {
		return nil, unsupported("client: read_all is not described")
	}
	r := d.do(ctx, action, false, catalogue.OpData{Data: d.data, Keys: keys})
	if r.Outcome != OK || r.answer.nothing {
		return nil, r.Result
	}
	text, _, err := r.answer.value(action.Value)
	values := map[string]string{}
	if err == nil {
		err = json.Unmarshal([]byte(text), &values)
	}
	if err != nil {
		return nil, Result{Outcome: Failed, Answered: true, Err: fmt.Errorf("read_all: expected a JSON object of texts%s: %w", excerpt([]byte(text)), err)}
	}
	return values, r.Result
}

// ChangeAll does change_all.
func (d *described) ChangeAll(ctx context.Context, changes []Change) Result {
	action := d.actions[catalogue.OpChangeAll]
	if action == nil {
		return unsupported("client: change_all is not described")
	}
	data := catalogue.OpData{Data: d.data}
	for _, c := range changes {
		data.Changes = append(data.Changes, catalogue.Change(c))
	}
	return d.do(ctx, action, true, data).conflict().Result
}
