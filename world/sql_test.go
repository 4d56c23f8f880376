package world

import (
	"strings"
	"testing"

	"brine.test/brine/world/client"
)

func TestResultIs(t *testing.T) {
	a, one, two := " a ", "1", "2"
	q := &query{rows: client.Rows{Columns: []string{"id", "name"}, Rows: [][]*string{{&one, &a}, {&two, nil}}}}
	for _, c := range []struct {
		want [][]string
		says string
	}{
		{[][]string{{"id", "name"}, {"1", "a"}, {"2", "NULL"}}, ""},
		{[][]string{{"1", "a"}, {"2", "NULL"}}, ""},
		{[][]string{{"1", "a"}, {"2", ""}}, "expected row 2 of the result to be | 2 |  |, got | 2 | NULL |, of:\n  | id | name |\n  | 1 | a |\n  | 2 | NULL |"},
		{[][]string{{"1", "a"}}, "expected a result of 1 row, got 2"},
		{[][]string{{"id", "name"}, {"1", "a"}}, "expected a result of 1 row, got 2"},
		{[][]string{{"nr", "name"}, {"1", "a"}, {"2", "NULL"}}, "expected a result of 3 rows and maybe the columns' names, got 2"},
		{[][]string{{"id", "name"}, {"2", "NULL"}, {"1", "a"}}, "expected row 1 of the result to be | 2 | NULL |, got | 1 | a |"},
	} {
		err := q.compare(c.want)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v, want %q", c.want, err, c.says)
		}
	}
	empty := &query{rows: client.Rows{Columns: []string{"id"}}}
	if err := empty.compare([][]string{{"id"}}); err != nil {
		t.Errorf("no rows: %v", err)
	}
}
