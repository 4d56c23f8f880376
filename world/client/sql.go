package client

import "context"

// Rows are what a SQL statement gave.
type Rows struct {
	Columns []string
	Rows    [][]*string // nil is NULL
	Tag     string      // what the server said was done: "SELECT 1"
}

// Querier runs SQL, once. Not every client is one.
type Querier interface {
	Query(ctx context.Context, sql string) (Rows, error)
}
