package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brine.test/brine/world/client"
	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// query is the last SQL that a sentence ran.
type query struct {
	sql  string
	on   *Service
	rows client.Rows
}

// RunSQL runs SQL through the service's own client, from the clients; it must succeed. Its rows are for the sentences that
// follow; with "within" it is repeated until it succeeds.
func (w *World) RunSQL(ctx context.Context, sql string, on sel.Selector, b Bound) error {
	n, err := w.One(ctx, on)
	if err != nil {
		return err
	}
	s, err := n.withClient(on.Service)
	if err != nil {
		return err
	}
	return w.Check(ctx, b, func(ctx context.Context) error { return w.runSQL(ctx, s, sql) })
}

func (w *World) runSQL(ctx context.Context, s *Service, sql string) error {
	c, err := s.fromClients()
	if err != nil {
		return err
	}
	q, ok := c.(client.Querier)
	if !ok {
		return fmt.Errorf("%s: its client runs no SQL\nhint: postgresql's does", s.label())
	}
	ctx, cancel := context.WithTimeout(ctx, s.inst.Timeout)
	defer cancel()
	began, start := time.Now(), w.suite.rec.Now()
	rows, err := q.Query(ctx, sql)
	said := record.Command{
		Node: s.node.Name, Service: s.Name, Args: []string{"SQL", sql}, Stdout: showRows(rows), Start: start.Mono, Took: time.Since(began),
	}
	if err != nil {
		said.Error = err.Error()
	}
	w.rec.Command(said)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.query = &query{sql: sql, on: s, rows: rows}
	return nil
}

// ResultIs compares the rows of the last SQL with a table, in their order. Its first row may be the columns' names. With
// a time bound the SQL is run again for each further look.
func (w *World) ResultIs(ctx context.Context, want [][]string, b Bound) error {
	first := true
	return w.Check(ctx, b, func(ctx context.Context) error {
		w.mu.Lock()
		q := w.query
		w.mu.Unlock()
		if q == nil {
			return errors.New("no SQL was run yet\nhint: say When I run the SQL \"select 1\" on node1 before it")
		}
		if !first {
			if err := w.runSQL(ctx, q.on, q.sql); err != nil {
				return err
			}
			w.mu.Lock()
			q = w.query
			w.mu.Unlock()
		}
		first = false
		return q.compare(want)
	})
}

func (q *query) compare(want [][]string) error {
	got := cellsOf(q.rows)
	if len(want) > 0 && slices.Equal(want[0], q.rows.Columns) {
		want = want[1:]
	} else if len(want) > 0 && len(want) > len(got) {
		return fmt.Errorf("expected a result of %s and maybe the columns' names, got %d:%s", rowCount(len(want)), len(got), inset(showRows(q.rows)))
	}
	for i := range min(len(want), len(got)) {
		if !slices.Equal(want[i], got[i]) {
			return fmt.Errorf("expected row %d of the result to be %s, got %s, of:%s", i+1, showRow(want[i]), showRow(got[i]), inset(showRows(q.rows)))
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("expected a result of %s, got %d:%s", rowCount(len(want)), len(got), inset(showRows(q.rows)))
	}
	return nil
}

// cellsOf are rows as a table has them.
func cellsOf(rows client.Rows) [][]string {
	out := make([][]string, len(rows.Rows))
	for i, r := range rows.Rows {
		for _, cell := range r {
			text := "NULL"
			if cell != nil {
				text = strings.TrimSpace(*cell) // as Gherkin trims the cells of a table
			}
			out[i] = append(out[i], text)
		}
	}
	return out
}

// inset puts a text below the line that it belongs to.
func inset(text string) string { return "\n  " + strings.ReplaceAll(text, "\n", "\n  ") }

func showRow(cells []string) string { return "| " + strings.Join(cells, " | ") + " |" }

// showRows writes a result for a person; of a statement without columns what the server said was done.
func showRows(rows client.Rows) string {
	if len(rows.Columns) == 0 {
		return rows.Tag
	}
	lines := []string{showRow(rows.Columns)}
	for _, r := range cellsOf(rows) {
		lines = append(lines, showRow(r))
	}
	return clip(strings.Join(lines, "\n"))
}

func rowCount(n int) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}
