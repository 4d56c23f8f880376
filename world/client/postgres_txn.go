package client

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

var _ Transactor = (*postgres)(nil)

// ReadAll reads keys with one query, which sees one instant.
func (p *postgres) ReadAll(ctx context.Context, keys []string) (map[string]string, Result) {
	values := make(map[string]string, len(keys))
	result := p.attempt(ctx, Read, func(ctx context.Context, c *pgx.Conn) error {
		rows, err := c.Query(ctx, "select key, value from brine where key = any($1)", keys)
		if err != nil {
			return err
		}
		var key, value string
		_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
			values[key] = value
			return nil
		})
		return err
	})
	return values, result
}

// ChangeAll compares and sets in one serializable transaction. It takes the keys in their order, as everyone does: two that
// wait for each other would wait for a second, until the server ends one.
func (p *postgres) ChangeAll(ctx context.Context, changes []Change) Result {
	changes = slices.SortedFunc(slices.Values(changes), func(a, b Change) int { return strings.Compare(a.Key, b.Key) })
	return p.attempt(ctx, CAS, func(ctx context.Context, c *pgx.Conn) error {
		tx, err := c.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable})
		for _, one := range changes {
			if err == nil {
				err = postgresCompareAndSet(ctx, tx, one)
			}
		}
		if err != nil {
			if tx != nil {
				_ = tx.Rollback(ctx) // without it the server rolls back when the connection ends
			}
			return fmt.Errorf("%w: %w", errNotSent, err)
		}
		return tx.Commit(ctx)
	})
}

// Query runs statements and gives the rows of the last one, as texts; nothing is NULL.
func (p *postgres) Query(ctx context.Context, sql string) (Rows, error) {
	var rows Rows
	err := p.ask(ctx, "SQL", func(ctx context.Context, c *pgx.Conn) error {
		all, err := c.PgConn().Exec(ctx, sql).ReadAll()
		if err != nil || len(all) == 0 {
			return err
		}
		last := all[len(all)-1]
		for _, f := range last.FieldDescriptions {
			rows.Columns = append(rows.Columns, f.Name)
		}
		for _, r := range last.Rows {
			cells := make([]*string, len(r))
			for i, cell := range r {
				if cell != nil {
					text := string(cell)
					cells[i] = &text
				}
			}
			rows.Rows = append(rows.Rows, cells)
		}
		rows.Tag = last.CommandTag.String()
		return nil
	})
	return rows, err
}
