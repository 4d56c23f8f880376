package world

import "testing"

func TestSameJSON(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":[true,null]}`, "{\n  \"b\": [true, null],\n  \"a\": 1\n}", true},
		{`[1,2]`, `[1, 2]`, true},
		{`[1,2]`, `[2, 1]`, false},
		{`{"a":1}`, `{"a":1.0}`, false}, // a number is as it is written
		{`{"a":1}`, `{"a":1} {}`, false},
		{`{"a":1}`, `{a: 1}`, false},
		{`1`, `1 `, false},
	} {
		if got := sameJSON(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %t", c.a, c.b, got)
		}
	}
}
