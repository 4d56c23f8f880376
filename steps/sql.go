package steps

import (
	"context"
	"errors"

	"brine.test/brine/world"
)

// sqls states the sentences that run SQL.
func sqls(sc Registrar) {
	sc.Step(`^I run the SQL "((?:[^"]|"")*)" (?:on|in) ([^"]+?)( (?:within|for|while) .+)?$`, runSQL)
	sc.Step(`^I run the SQL (?:on|in) ([^"]+?)( (?:within|for|while) [^"]+)?:$`, runSQLDoc)
	sc.Step(`^the result is( (?:within|for|while) [^"]+)?:$`, resultIs)
}

// runSQL runs SQL on a node of a service whose client can, such as postgresql; it must succeed. Its rows, of several
// statements those of the last, are for the next sentence.
//
//	I run the SQL "select 1" on node1
//	I run the SQL "select pg_promote()" on node2 within 10s
func runSQL(ctx context.Context, sql, on, tail string) error {
	s := read(ctx)
	text, who, bound := s.data(sql), s.who(on), s.bound(tail)
	return s.do(func(w *world.World) error { return w.RunSQL(ctx, text, who, bound) })
}

// runSQLDoc runs the SQL in the doc string.
//
//	I run the SQL on node1:
func runSQLDoc(ctx context.Context, on, tail string) error {
	s := read(ctx)
	text, who, bound := s.doc(), s.who(on), s.bound(tail)
	return s.do(func(w *world.World) error { return w.RunSQL(ctx, text, who, bound) })
}

// resultIs compares the rows that the last SQL gave with the table, in their order; the table may begin with the columns'
// names. NULL stands for no value. With a time bound the SQL is run again for every further look.
//
//	the result is:
//	the result is within 5s:
func resultIs(ctx context.Context, tail string) error {
	s := read(ctx)
	table, bound := s.table(), s.bound(tail)
	return s.do(func(w *world.World) error { return w.ResultIs(ctx, table, bound) })
}

// table gives the cells of the table under the sentence.
func (s *words) table() [][]string {
	if s.arg.Table == nil {
		s.keep(errors.New("a table is missing under the sentence\nhint: one row a line, the cells between bars: | 1 | a |"))
		return nil
	}
	all := make([][]string, len(s.arg.Table))
	for i, row := range s.arg.Table {
		for _, cell := range row {
			all[i] = append(all[i], s.expand(cell))
		}
	}
	return all
}
