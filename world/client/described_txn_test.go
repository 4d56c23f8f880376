package client

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
)

func TestDescribedTransactions(t *testing.T) {
	const description = `
  read_all: {http: {port: client, path: "/kv?keys={{range $i, $k := .Keys}}{{if $i}},{{end}}{{$k}}{{end}}", value: body}}
  change_all: {http: {port: client, path: /kv, body: "{{json .Changes}}"}}
`
	answer := http.StatusOK
	c := openKV(t, description, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		switch {
		case err != nil:
			t.Error(err)
		case r.Method == http.MethodGet && r.FormValue("keys") == "a,b":
			fmt.Fprint(w, `{"a":"1"}`)
		case r.Method == http.MethodGet:
			fmt.Fprint(w, `nonsense`)
		case string(body) != `[{"key":"a","expect":"1","value":"\"2\""}]`:
			t.Errorf("body %s", body)
		default:
			w.WriteHeader(answer)
		}
	})).(Transactor)
	values, r := c.ReadAll(t.Context(), []string{"a", "b"})
	if r.Outcome != OK || len(values) != 1 || values["a"] != "1" {
		t.Errorf("%v, %v", values, r)
	}
	if _, r := c.ReadAll(t.Context(), []string{"c"}); r.Outcome != Failed {
		t.Errorf("nonsense: %v", r)
	}
	changes := []Change{{Key: "a", Expect: "1", Value: `"2"`}}
	if r := c.ChangeAll(t.Context(), changes); r.Outcome != OK {
		t.Errorf("%v", r)
	}
	answer = http.StatusConflict
	if r := c.ChangeAll(t.Context(), changes); r.Outcome != Failed || !errors.Is(r.Err, ErrConflict) {
		t.Errorf("%v", r)
	}
	answer = http.StatusInternalServerError
	if r := c.ChangeAll(t.Context(), changes); r.Outcome != Unknown {
		t.Errorf("%v", r)
	}
}
